"""What the comparison asks of a network."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.accuracy.subjects.beside import MixtureBeside
from linewatch.dsmoe.encoder import Encoder

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
    """One network under comparison. `bf16`: whether it computes under autocast; decoding and losses never do.

    beside: what of the network learns apart from the task; encoder: linewatch's, whose attention is bounded after every
    step. Most have no such part.
    """

    beside: MixtureBeside | None = None
    encoder: Encoder | None = None

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
