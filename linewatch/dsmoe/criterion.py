"""What the network is trained on: task-aligned assignment, then classification, box and side losses, and ours.

From the authors' configurations: BCE classification, CIoU x 7.5, DFL, top 10, alpha 0.5, beta 6. Ours: hyperbolic
contrast of text and vision, load balance, relational distillation.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import box_iou, complete_box_iou_loss

from linewatch.dsmoe.head import BINS, Raw
from linewatch.dsmoe.network import Output
from linewatch.dsmoe.routing import balance_loss
from linewatch.dsmoe.text import ClassAnchors

# A box that nothing overlaps yet (a small defect on plain ground, early on) must still teach, or it is never found:
_FAINT = 1e-20  # its places are candidates all the same,
_LEAST_TARGET = 0.1  # and the best of them is taught at least this score.


@dataclass(frozen=True)
class Weights:
    """What each loss counts."""

    classification: float = 0.5
    box: float = 7.5
    sides: float = 1.5
    contrast: float = 0.25
    balance: float = 0.02
    distillation: float = 0.2


@dataclass(frozen=True)
class Assigned:
    """Targets at all anchor points: `scores` (B, N, C), `boxes` (B, N, 4), `positive` (B, N)."""

    scores: Tensor
    boxes: Tensor
    positive: Tensor


@torch.no_grad()
def assign(
    raw: Raw, boxes: list[Tensor], labels: list[Tensor], *, top: int = 10, alpha: float = 0.5, beta: float = 6.0
) -> Assigned:
    """Task-aligned assignment (Feng et al. 2021, arXiv 2108.07755).

    boxes: per picture (n, 4) x1, y1, x2, y2 in px; labels: per picture (n,).
    """
    scores, predicted = raw.logits.float().sigmoid(), raw.boxes()
    target_scores, target_boxes = torch.zeros_like(scores), torch.zeros_like(predicted)
    for index, (box, label) in enumerate(zip(boxes, labels, strict=True)):
        if len(box):
            _assign_one(raw.points, scores[index], predicted[index], box, label, target_scores[index],
                        target_boxes[index], top, alpha, beta)  # fmt: skip
    return Assigned(target_scores, target_boxes, target_scores.amax(-1) > 0)


def _assign_one(
    points: Tensor, scores: Tensor, predicted: Tensor, box: Tensor, label: Tensor,
    target_scores: Tensor, target_boxes: Tensor, top: int, alpha: float, beta: float,
) -> None:  # fmt: skip
    inside = _inside(points, box)  # (n, N)
    overlap = box_iou(box, predicted).clamp_min(0) * inside
    metric = scores[:, label].T.pow(alpha) * overlap.pow(beta) + _FAINT * inside
    candidates = metric.topk(min(top, metric.shape[1]), dim=1).indices
    chosen = torch.zeros_like(inside).scatter_(1, candidates, True) & inside
    owner = torch.where(chosen, overlap, overlap.new_tensor(-1.0)).max(0)  # a place serves the box it overlaps most
    taken = owner.values >= 0
    place, which = taken.nonzero()[:, 0], owner.indices[taken]
    aligned = metric[which, place]
    best = torch.zeros(len(box), device=box.device).scatter_reduce_(0, which, aligned, "amax")
    best_overlap = torch.zeros_like(best).scatter_reduce_(0, which, overlap[which, place], "amax")
    target_scores[place, label[which]] = aligned / best[which] * best_overlap[which].clamp_min(_LEAST_TARGET)
    target_boxes[place] = box[which]


def _inside(points: Tensor, box: Tensor) -> Tensor:
    """(n, N): which points lie in which box."""
    upper, lower = points[None] - box[:, None, :2], box[:, None, 2:] - points[None]
    return torch.cat([upper, lower], dim=-1).amin(-1) > 0


def losses(
    output: Output, text: ClassAnchors, boxes: list[Tensor], labels: list[Tensor], weights: Weights
) -> dict[str, Tensor]:
    """All losses, weighted, by name; their sum is what is minimised."""
    target = assign(output.raw, boxes, labels)
    found = {
        **box_losses(output.raw, target, weights),
        "balance": weights.balance * torch.stack([balance_loss(r) for r in output.routings]).mean(),
        "distillation": weights.distillation * text.distillation_loss(output.anchors),
    }
    positive = target.positive
    contrast = F.cross_entropy(
        output.similarity[positive], target.scores[positive].argmax(-1), reduction="sum"
    ) / positive.sum().clamp_min(1)
    found["contrast"] = weights.contrast * contrast
    return found


def box_losses(raw: Raw, target: Assigned, weights: Weights) -> dict[str, Tensor]:
    """Classification, box and side losses, weighted, by name: what a detector without text and experts has too."""
    normaliser = target.scores.sum().clamp_min(1)
    classification = F.binary_cross_entropy_with_logits(raw.logits.float(), target.scores, reduction="sum")
    positive = target.positive
    share = target.scores.sum(-1)[positive]
    wanted = target.boxes[positive]
    box = complete_box_iou_loss(raw.boxes()[positive], wanted, reduction="none")
    sides = _side_loss(raw, wanted, positive)
    return {
        "classification": weights.classification * classification / normaliser,
        "box": weights.box * (box * share).sum() / normaliser,
        "sides": weights.sides * (sides * share).sum() / normaliser,
    }


def _side_loss(raw: Raw, wanted: Tensor, positive: Tensor) -> Tensor:
    """Distribution focal loss of the four sides, mean over the sides, (positives,)."""
    index = positive.nonzero()[:, 1]
    points, strides = raw.points[index], raw.strides[index]
    reach = torch.cat([points - wanted[:, :2], wanted[:, 2:] - points], dim=-1) / strides
    reach = reach.clamp(0, BINS - 1 - 0.01)
    left = reach.long()
    share = reach - left
    log = raw.sides[positive].float().log_softmax(-1)
    low = log.gather(-1, left[..., None])[..., 0]
    high = log.gather(-1, left[..., None] + 1)[..., 0]
    return -(low * (1 - share) + high * share).mean(-1)
