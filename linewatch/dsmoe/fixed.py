"""Suppression at fixed shapes, with no wait for the device and no branch on data: what a CUDA graph can hold.

Greedy suppression keeps a box when no better box of its class that is kept overlaps it. Cluster-NMS (Zheng et al. 2020,
arXiv 2005.03572) asks that of all boxes at once, again and again, from "all are kept" on: what no longer changes is the
greedy answer. Ours: a fixed number of rounds, and a picture that still changes after them says so and is suppressed
the usual way, so that the answer is the greedy one always.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from linewatch.dsmoe.head import Raw, select

ROUNDS = 12  # as long as the longest chain of boxes of which each would suppress the next


@dataclass(frozen=True)
class Fixed:
    """The K best (place, class) pairs of each picture, best first.

    boxes: (B, K, 4) px; scores: (B, K); labels: (B, K); kept: (B, K) bool, not suppressed; sure: (B,) bool, whether all
    numbers of the picture are finite and `kept` is final.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    kept: Tensor
    sure: Tensor

    def tensors(self) -> tuple[Tensor, ...]:
        return self.boxes, self.scores, self.labels, self.kept, self.sure


def suppress_fixed(raw: Raw, *, iou: float = 0.6, candidates: int = 1000, rounds: int = ROUNDS) -> Fixed:
    """What `select` decides, as far as fixed shapes go; `unpack` makes detections of it."""
    boxes, scores = raw.boxes(), raw.logits.float().sigmoid()
    sound = raw.logits.isfinite().all(-1).all(-1) & boxes.isfinite().all(-1).all(-1)
    classes = scores.shape[-1]
    best, index = scores.flatten(1).topk(min(candidates, scores[0].numel()))
    place, labels = index // classes, index % classes
    boxes = boxes.gather(1, place[..., None].expand(-1, -1, 4))
    better = torch.ones(index.shape[1], index.shape[1], dtype=torch.bool, device=index.device).triu(1)
    beaten_by = (_overlap(boxes) > iou) & (labels[:, :, None] == labels[:, None]) & better  # (B, better, worse)
    kept, before = torch.ones_like(labels, dtype=torch.bool), torch.zeros_like(labels, dtype=torch.bool)
    for _ in range(rounds):
        kept, before = ~(beaten_by & kept[:, :, None]).any(1), kept
    return Fixed(boxes, best, labels, kept, sound & (kept == before).all(1))


def unpack(found: Fixed, raw: Raw, *, min_score: float = 0.01, most: int = 100) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Detections of each picture as `select` gives them. raw: of the same batch, for pictures that are not sure."""
    pictures = []
    for row, sure in enumerate(found.sure.tolist()):
        if sure:
            kept = (found.kept[row] & (found.scores[row] > min_score)).nonzero()[:most, 0]
            pictures.append((found.boxes[row, kept], found.scores[row, kept], found.labels[row, kept]))
        else:
            alone = Raw(raw.logits[row : row + 1], raw.sides[row : row + 1], raw.points, raw.strides)
            pictures.extend(select(alone, min_score=min_score, most=most))
    return pictures


def _overlap(boxes: Tensor) -> Tensor:
    """Intersection over union of all pairs, (B, K, K). boxes: (B, K, 4)."""
    first, second = boxes[:, :, None], boxes[:, None]
    corner = torch.minimum(first[..., 2:], second[..., 2:]) - torch.maximum(first[..., :2], second[..., :2])
    shared = corner.clamp_min(0).prod(-1)
    area = (boxes[..., 2:] - boxes[..., :2]).prod(-1)
    return shared / (area[:, :, None] + area[:, None] - shared)
