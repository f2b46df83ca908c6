"""Stages 1 and 2, as far as the daemon needs them: class anchors distilled from text.

Paper: an LLM writes prompts per class, their embeddings are distilled. Ours: a sentence encoder is the teacher; the
student is a small projection trained with the detector, so that the geometry between the classes survives (relational
distillation) and visual alignment improves. Only the student's anchors are saved; the daemon needs no language model.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ClassAnchors(nn.Module):
    """One tangent vector per class. `anchors` is what ships; `student` exists in training only."""

    anchors: Tensor
    teacher: Tensor

    def __init__(self, classes: int, dimension: int, teacher: Tensor | None = None) -> None:
        """teacher: (classes, prompts, e) sentence embeddings, unit length; None builds the shipped form."""
        super().__init__()
        self.register_buffer("anchors", torch.zeros(classes, dimension))
        self.student: nn.Module | None = None
        if teacher is not None:
            self.register_buffer("teacher", teacher.float(), persistent=False)
            width = teacher.shape[-1]
            self.student = nn.Sequential(nn.Linear(width, 128), nn.GELU(), nn.Linear(128, dimension))

    def forward(self) -> Tensor:
        """Class anchors as tangent vectors, (classes, dimension), float32."""
        if self.student is None:
            return self.anchors
        with torch.autocast(self.anchors.device.type, enabled=False):
            anchors = F.normalize(self.student(self._pooled()), dim=-1)
        if not torch.is_grad_enabled():
            self.anchors.copy_(anchors)
        return anchors

    def distillation_loss(self, anchors: Tensor) -> Tensor:
        """Relational distillation: the students' cosines follow the teacher's, stretched to [-1, 1] (Park et al. 2019).

        The teacher's own cosines between defect descriptions are all high; only their order carries meaning.
        """
        off = ~torch.eye(len(anchors), dtype=torch.bool, device=anchors.device)
        pooled = self._pooled()
        wanted = (pooled @ pooled.T)[off]
        wanted = (wanted - wanted.mean()) / wanted.std().clamp_min(1e-6)
        got = (anchors @ anchors.T)[off]
        return F.smooth_l1_loss(got, wanted.clamp(-2, 2) / 4 - 0.2)

    def _pooled(self) -> Tensor:
        return F.normalize(self.teacher.mean(1), dim=-1)
