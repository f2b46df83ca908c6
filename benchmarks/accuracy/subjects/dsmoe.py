"""DS-MoE as linewatch trains it: its own losses, prompts and architecture."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from benchmarks.accuracy.data import Data
from benchmarks.accuracy.subjects.beside import MixtureBeside
from benchmarks.accuracy.subjects.boxes import suppressed
from benchmarks.accuracy.subjects.subject import Batch, Found, Subject
from linewatch.core.errors import DatasetError
from linewatch.dsmoe.criterion import Weights, losses
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.training.mixture import MixtureTraining
from linewatch.training.prompts import load_prompts
from linewatch.training.text import load_text


class DsMoeSubject(Subject):
    """architecture: any field of linewatch's Architecture but `classes`."""

    network: DsMoe

    def __init__(self, data: Data, architecture: Mapping[str, Any], seed: int, *, bf16: bool) -> None:
        classes = data.config.classes
        prompts = load_prompts(data.prompts / "prompts.yaml", classes)
        teacher = load_text(data.prompts / "text.safetensors", prompts)
        try:
            shape = Architecture(classes=len(classes), **architecture)
        except (TypeError, ValueError) as exc:
            raise DatasetError("architecture", str(exc), dict(architecture)) from exc
        super().__init__(DsMoe(shape, torch.from_numpy(teacher)), bf16=bf16)
        self.encoder = self.network.encoder
        domain = self.network.domain
        if domain is not None:
            self.beside = MixtureBeside(self.network, MixtureTraining(domain, data.config.mixture, seed), bf16=bf16)

    def loss(self, batch: Batch) -> Tensor:
        with self.half(batch.pictures.device):
            output = self.network(batch.pictures)
        if self.beside is not None:
            self.beside.features = output.features
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
