"""DS-MoE as linewatch trains it: its own losses, prompts and architecture."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks.accuracy.data import Data
from benchmarks.accuracy.subjects.boxes import suppressed
from benchmarks.accuracy.subjects.subject import Batch, Found, Subject, Unavailable
from linewatch.core.errors import DatasetError
from linewatch.dsmoe.criterion import Weights, losses
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.training.prompts import load_prompts
from linewatch.training.text import load_text


class DsMoeSubject(Subject):
    """architecture: any field of linewatch's Architecture but `classes`."""

    network: DsMoe

    def __init__(self, data: Data, architecture: Mapping[str, Any], *, bf16: bool) -> None:
        classes = data.config.classes
        prompts = load_prompts(data.prompts / "prompts.yaml", classes)
        teacher = load_text(data.prompts / "text.safetensors", prompts)
        try:
            shape = Architecture(classes=len(classes), **architecture)
        except (TypeError, ValueError) as exc:
            raise DatasetError("architecture", str(exc), dict(architecture)) from exc
        super().__init__(DsMoe(shape, torch.from_numpy(teacher)), bf16=bf16)

    def loss(self, batch: Batch) -> Tensor:
        with self.half(batch.pictures.device):
            output = self.network(batch.pictures)
        # A router that learns apart from the task (a mixture over the encoder's features) would stay untrained in the
        # one loop of the comparison, and its figures would be those of another network.
        if getattr(output, "features", None) is not None:
            raise Unavailable("its router has a training phase of its own, which the comparison does not run")
        parts = losses(output, self.network.text, batch.boxes, batch.labels, Weights())
        return torch.stack(list(parts.values())).sum()

    def detect(self, pictures: Tensor) -> list[Found]:
        with self.half(pictures.device):
            raw = self.network(pictures).raw
        return suppressed(raw.boxes(), raw.logits.float().sigmoid())

    def parameters(self) -> int:
        # The student that distils the class anchors stays behind: only the anchors ship.
        student = self.network.text.student
        left = 0 if student is None else sum(value.numel() for value in student.parameters())
        return super().parameters() - left
