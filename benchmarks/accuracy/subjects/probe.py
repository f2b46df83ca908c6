"""The plain probe: DS-MoE's encoder with a plain neck and head. What DS-MoE gains over it, its own parts have earned.

No text, no geometry, no experts, no attention in the neck; assignment and box losses are DS-MoE's.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.accuracy.data import Data
from benchmarks.accuracy.subjects.boxes import in_colour, suppressed
from benchmarks.accuracy.subjects.subject import Batch, Found, Subject
from linewatch.dsmoe.criterion import Weights, assign, box_losses
from linewatch.dsmoe.encoder import Encoder
from linewatch.dsmoe.head import BINS, Raw, ScaleHead, anchor_points
from linewatch.dsmoe.layers import ConvBlock
from linewatch.dsmoe.pyramid import STRIDES, Pyramid


class PlainHead(nn.Module):
    """One scale: two branches of two 3x3 convolutions, as in YOLOv8."""

    def __init__(self, width: int, classes: int, stride: int) -> None:
        super().__init__()
        self.classify = nn.Sequential(ConvBlock(width, width, 3), ConvBlock(width, width, 3))
        self.localise = nn.Sequential(ConvBlock(width, 64, 3), ConvBlock(64, 64, 3))
        start = ScaleHead(width, classes, stride)  # for its first biases
        self.logits, self.sides = start.logits, start.sides

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x: (B, width, H, W). Returns logits (B, HW, C) and sides (B, HW, 4, BINS)."""
        logits, sides = self.logits(self.classify(x)), self.sides(self.localise(x))
        return logits.flatten(2).transpose(1, 2), sides.flatten(2).transpose(1, 2).unflatten(-1, (4, BINS))


class Probe(nn.Module):
    """Encoder, neck, head."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor([123.675, 116.28, 103.53]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([58.395, 57.12, 57.375]).view(1, 3, 1, 1))
        self.encoder = Encoder()
        self.neck = Pyramid(width, attention=False)
        self.head = nn.ModuleList(PlainHead(width, classes, stride) for stride in STRIDES)

    def forward(self, pictures: Tensor) -> Raw:
        """pictures: (B, 1, H, W) in [0, 255]; H and W multiples of 32."""
        x = (in_colour(pictures) - self.mean) / self.deviation
        heads = [head(features) for head, features in zip(self.head, self.neck(self.encoder(x)), strict=True)]
        logits, sides = zip(*heads, strict=True)
        points, strides = anchor_points(pictures.shape[2], pictures.shape[3], pictures.device)
        return Raw(torch.cat(logits, 1), torch.cat(sides, 1), points, strides)


class ProbeSubject(Subject):
    """architecture: `width`, 96 unless said."""

    network: Probe

    def __init__(self, data: Data, architecture: Mapping[str, Any], *, bf16: bool) -> None:
        super().__init__(Probe(len(data.config.classes), **{"width": 96, **architecture}), bf16=bf16)
        self.encoder = self.network.encoder

    def loss(self, batch: Batch) -> Tensor:
        with self.half(batch.pictures.device):
            raw: Raw = self.network(batch.pictures)
        parts = box_losses(raw, assign(raw, batch.boxes, batch.labels), Weights())
        return torch.stack(list(parts.values())).sum()

    def detect(self, pictures: Tensor) -> list[Found]:
        with self.half(pictures.device):
            raw: Raw = self.network(pictures)
        return suppressed(raw.boxes(), raw.logits.float().sigmoid())
