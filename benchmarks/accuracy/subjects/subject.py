"""What the comparison asks of a network, and the one way in which boxes become detections."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchvision.ops import batched_nms

MIN_SCORE = 0.01
NMS_IOU = 0.6
CANDIDATES = 1000
MOST = 100  # COCO counts no more in a picture

Found = tuple[Tensor, Tensor, Tensor]
"""Boxes (n, 4) x1, y1, x2, y2 in px of the input, scores (n,), labels (n,), best first."""


@dataclass(frozen=True)
class Batch:
    """pictures: (B, 1, S, S) uint8; boxes: per picture (n, 4) x1, y1, x2, y2 in px; labels: per picture (n,)."""

    pictures: Tensor
    boxes: list[Tensor]
    labels: list[Tensor]


class Unavailable(Exception):
    """A peer that is not installed, or not in the form that its adapter knows."""


class Subject(ABC):
    """One network under comparison. `bf16`: whether it computes under autocast; decoding and losses never do."""

    def __init__(self, network: nn.Module, *, bf16: bool) -> None:
        self.network = network
        self.bf16 = bf16

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The network's own published loss, to be minimised; the network is in training mode."""

    @abstractmethod
    def detect(self, pictures: Tensor) -> list[Found]:
        """Detections of (B, 1, H, W) uint8 pictures; the network is in eval mode."""

    def parameters(self) -> int:
        """How many numbers ship."""
        return sum(value.numel() for value in self.network.parameters())

    def half(self, device: torch.device) -> torch.autocast:
        """Around the network's own layers."""
        return torch.autocast(device.type, torch.bfloat16, enabled=self.bf16)


def in_colour(pictures: Tensor) -> Tensor:
    """(B, 3, H, W) float, 0 to 255, channels last."""
    return pictures.float().expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def suppressed(boxes: Tensor, scores: Tensor) -> list[Found]:
    """Non-maximum suppression per class, the same for all that need it. boxes: (B, N, 4); scores: (B, N, C)."""
    found = []
    for box, score in zip(boxes, scores, strict=True):
        flat = score.flatten()
        top, index = flat.topk(min(CANDIDATES, flat.numel()))
        index = index[top > MIN_SCORE]
        place, label = index // score.shape[1], index % score.shape[1]
        keep = batched_nms(box[place], flat[index], label, NMS_IOU)[:MOST]
        found.append((box[place[keep]], flat[index[keep]], label[keep]))
    return found


def centred(boxes: Tensor) -> Tensor:
    """x1, y1, x2, y2 as centre, width and height, (n, 4)."""
    return torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], dim=1)


def cornered(boxes: Tensor) -> Tensor:
    """Centre, width and height as x1, y1, x2, y2, (..., 4)."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)
