"""Stage 10: channel-wise aggregation, then decoupled classification and localisation, and their decoding.

Paper: differentiable aggregation by channel attention, decoupled branches. Ours: one head per scale, boxes as
distributions over distances (Li et al. 2020, arXiv 2006.04388), no objectness.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.ops import batched_nms

from linewatch.dsmoe.cbam import OPEN
from linewatch.dsmoe.layers import ConvBlock
from linewatch.dsmoe.pyramid import STRIDES

BINS = 16  # a box side lies at most BINS - 1 strides from its anchor point


@dataclass(frozen=True)
class Raw:
    """What the head says at all N anchor points.

    logits: (B, N, C); sides: (B, N, 4, BINS); points: (N, 2) in px; strides: (N, 1).
    """

    logits: Tensor
    sides: Tensor
    points: Tensor
    strides: Tensor

    def boxes(self) -> Tensor:
        """Boxes x1, y1, x2, y2 in px of the input, (B, N, 4), float32."""
        bins = torch.arange(BINS, device=self.sides.device, dtype=torch.float32)
        reach = (self.sides.float().softmax(-1) @ bins) * self.strides  # left, top, right, bottom
        return torch.cat([self.points - reach[..., :2], self.points + reach[..., 2:]], dim=-1)


class ScaleHead(nn.Module):
    """One scale: squeeze and excite, then two branches that share nothing."""

    def __init__(self, width: int, classes: int, stride: int) -> None:
        super().__init__()
        gate = nn.Conv2d(width // 4, width, 1)
        self.squeeze = nn.Sequential(nn.Conv2d(width, width // 4, 1), nn.SiLU(), gate)
        self.classify = nn.Sequential(
            ConvBlock(width, width, 3, groups=width), ConvBlock(width, width),
            ConvBlock(width, width, 3, groups=width), ConvBlock(width, width),
        )  # fmt: skip
        self.localise = nn.Sequential(ConvBlock(width, 64, 3), ConvBlock(64, 64, 3))
        self.logits = nn.Conv2d(width, classes, 1)
        self.sides = nn.Conv2d(64, 4 * BINS, 1)
        self.guidance = nn.Parameter(torch.tensor(0.1))  # how far the text similarity leans on the classes
        assert gate.bias is not None and self.logits.bias is not None and self.sides.bias is not None
        nn.init.zeros_(gate.weight)
        nn.init.constant_(gate.bias, OPEN)
        nn.init.constant_(self.logits.bias, math.log(5 / classes / (640 / stride) ** 2))  # 5 objects a picture
        nn.init.constant_(self.sides.bias, 0.0)

    def forward(self, x: Tensor, similarity: Tensor, places: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x: (B, width, H, W), similarity: (B, C, H, W); places: map for the boxes, shape of x; none: x serves both.

        Returns logits (B, HW, C) and sides (B, HW, 4, BINS).
        """
        x = x * self.squeeze(x.mean((2, 3), keepdim=True)).sigmoid()
        leaning = similarity - similarity.mean(1, keepdim=True)
        logits = self.logits(self.classify(x)).float() + self.guidance * leaning
        sides = self.sides(self.localise(x if places is None else places))
        return logits.flatten(2).transpose(1, 2), sides.flatten(2).transpose(1, 2).unflatten(-1, (4, BINS))


def anchor_points(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Centres of all cells of all scales for an input of height x width px: (N, 2) x, y in px, and strides (N, 1)."""
    points, strides = [], []
    for stride in STRIDES:
        ys = (torch.arange(height // stride, device=device) + 0.5) * stride
        xs = (torch.arange(width // stride, device=device) + 0.5) * stride
        grid = torch.stack(torch.meshgrid(ys, xs, indexing="ij")[::-1], dim=-1).view(-1, 2)
        points.append(grid)
        strides.append(torch.full((len(grid), 1), float(stride), device=device))
    return torch.cat(points), torch.cat(strides)


def select(
    raw: Raw, *, min_score: float = 0.01, iou: float = 0.6, most: int = 100, candidates: int = 1000
) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Detections of each picture: boxes (n, 4), scores (n,), labels (n,), best first, after per-class NMS.

    A picture with a number that is not finite anywhere gets one detection of score NaN: the part is in doubt.
    """
    boxes, scores = raw.boxes(), raw.logits.float().sigmoid()
    # A sigmoid turns an infinite logit into an ordinary 0 or 1: look before it.
    sound = raw.logits.isfinite().all(-1) & boxes.isfinite().all(-1)
    found = []
    for box, score, whole in zip(boxes, scores, sound, strict=True):
        if not bool(whole.all()):
            bad = (~whole).nonzero()[:1, 0]
            found.append((box[bad], torch.full_like(score[bad, 0], torch.nan), torch.zeros_like(bad)))
            continue
        found.append(suppress(box, score, min_score=min_score, iou=iou, most=most, candidates=candidates))
    return found


def suppress(
    box: Tensor, score: Tensor, *, min_score: float = 0.01, iou: float = 0.6, most: int = 100, candidates: int = 1000
) -> tuple[Tensor, Tensor, Tensor]:
    """Boxes, scores and labels of one picture, best first, after per-class NMS. box: (N, 4); score: (N, C)."""
    flat = score.flatten()
    top, index = flat.topk(min(candidates, flat.numel()))
    index = index[top > min_score]
    place, label = index // score.shape[1], index % score.shape[1]
    keep = batched_nms(box[place], flat[index], label, iou)[:most]
    return box[place[keep]], flat[index[keep]], label[keep]
