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

    def working(self) -> Tensor:
        """(B, N): 1 where an expert works on a picture; one that was chosen with gate 0 does not."""
        slots = F.one_hot(self.chosen, self.probabilities.shape[-1]).float()
        return (slots * (self.gates > 0)[..., None]).sum(1)


class TextContext(nn.Module):
    """What the text says about a picture, one scale: cross-attention of vision tokens to the class anchors."""

    def __init__(self, width: int, dimension: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, dimension)
        self.key = nn.Linear(dimension, dimension, bias=False)  # a bias on keys cancels in the softmax

    def attend(self, x: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, width, H, W); anchors: (C, d). Returns pooled vision (B, width) and text context (B, d), float32."""
        tokens = F.adaptive_avg_pool2d(x.float(), TOKENS).flatten(2).transpose(1, 2)  # (B, T, width)
        with torch.autocast(x.device.type, enabled=False):
            attention = self.query(tokens) @ self.key(anchors).T / math.sqrt(anchors.shape[1])
            context = (attention.softmax(-1) @ anchors).mean(1)  # (B, d)
            return F.layer_norm(tokens.mean(1), tokens.shape[-1:]), context


class TextGate(TextContext):
    """The paper's gate, one scale: from pooled vision and text context."""

    def __init__(self, width: int, dimension: int, experts: int) -> None:
        super().__init__(width, dimension)
        self.active = active_experts(experts)
        self.gate = nn.Sequential(nn.Linear(width + dimension, 64), nn.GELU(), nn.Linear(64, experts))

    def logits(self, x: Tensor, anchors: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the experts (B, N) and text context (B, d), float32."""
        vision, context = self.attend(x, anchors)
        with torch.autocast(x.device.type, enabled=False):
            return self.gate(torch.cat([vision, context], dim=-1)), context


class TextRouter(TextGate):
    """`router: text`: the k most probable experts work."""

    def forward(self, x: Tensor, anchors: Tensor) -> Routing:
        """x: (B, width, H, W); anchors: (C, d)."""
        logits, context = self.logits(x, anchors)
        probabilities = logits.softmax(-1)
        gates, chosen = probabilities.topk(self.active, dim=-1)
        return Routing(chosen, gates / gates.sum(-1, keepdim=True), probabilities, context)


class DenseRouter(TextGate):
    """`router: dense`: the control with equal parameters; all experts work, weighted by the text gate's softmax."""

    def forward(self, x: Tensor, anchors: Tensor) -> Routing:
        """x: (B, width, H, W); anchors: (C, d)."""
        logits, context = self.logits(x, anchors)
        probabilities = logits.softmax(-1)
        everyone = torch.arange(probabilities.shape[-1], device=x.device).expand_as(probabilities)
        return Routing(everyone, probabilities, probabilities, context)


def balance_loss(routing: Routing) -> Tensor:
    """N x sum of (share of work sent to expert i) x (mean probability of i): 1 when balanced (Fedus et al. 2021)."""
    sent = routing.working().sum(0)
    return len(sent) * (sent / sent.sum() * routing.probabilities.mean(0)).sum()
