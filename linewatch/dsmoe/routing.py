"""Stage 7: gates from text and vision, per image and per scale, and the choice of floor(log2 N) experts.

Paper: attention-driven gates, floor(log2 N_e) experts active. Ours: cross-attention of pooled vision tokens to the
class anchors (with the same prompts for every image, text alone could not vary the routing), plus the vision itself.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TOKENS = 4  # the map is pooled to TOKENS x TOKENS


def active_experts(experts: int) -> int:
    """How many of `experts` work on one image: floor(log2 N), at least 1."""
    return max(1, int(math.log2(experts)))


@dataclass(frozen=True)
class Routing:
    """Who works on what. `chosen` and `gates`: (B, k); `probabilities`: (B, N); `context`: (B, d) text context."""

    chosen: Tensor
    gates: Tensor
    probabilities: Tensor
    context: Tensor


class TextRouter(nn.Module):
    """Cross-attention gate, one scale."""

    def __init__(self, width: int, dimension: int, experts: int) -> None:
        super().__init__()
        self.active = active_experts(experts)
        self.query = nn.Linear(width, dimension)
        self.key = nn.Linear(dimension, dimension, bias=False)  # a bias on keys cancels in the softmax
        self.gate = nn.Sequential(nn.Linear(width + dimension, 64), nn.GELU(), nn.Linear(64, experts))

    def forward(self, x: Tensor, anchors: Tensor) -> Routing:
        """x: (B, width, H, W); anchors: (C, d)."""
        tokens = F.adaptive_avg_pool2d(x.float(), TOKENS).flatten(2).transpose(1, 2)  # (B, T, width)
        with torch.autocast(x.device.type, enabled=False):
            attention = self.query(tokens) @ self.key(anchors).T / math.sqrt(anchors.shape[1])
            context = (attention.softmax(-1) @ anchors).mean(1)  # (B, d)
            vision = F.layer_norm(tokens.mean(1), tokens.shape[-1:])
            probabilities = self.gate(torch.cat([vision, context], dim=-1)).softmax(-1)
        gates, chosen = probabilities.topk(self.active, dim=-1)
        return Routing(chosen, gates / gates.sum(-1, keepdim=True), probabilities, context)


def balance_loss(routing: Routing) -> Tensor:
    """N x sum of (share of images sent to expert i) x (mean probability of i): 1 when balanced (Fedus et al. 2021)."""
    experts = routing.probabilities.shape[-1]
    sent = F.one_hot(routing.chosen, experts).float().mean((0, 1))
    return experts * (sent * routing.probabilities.mean(0)).sum()
