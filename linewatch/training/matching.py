"""Which detections hit which boxes of a picture: greedy by score, at IoU 0.5, class by class."""

from collections.abc import Sequence
from dataclasses import dataclass

from linewatch.training.annotations import Box

# class index, score 0..1, x, y, w, h in px of the picture
Prediction = tuple[int, float, float, float, float, float]

MATCH_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Counts:
    """hits: boxes found. false: detections that belong to no box. missed: boxes that were not found."""

    hits: int = 0
    false: int = 0
    missed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.hits + other.hits, self.false + other.false, self.missed + other.missed)

    @property
    def precision(self) -> float | None:
        """Share of the detections that are right; none without detections."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else None

    @property
    def recall(self) -> float | None:
        """Share of the boxes that were found; none without boxes."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else None


def count_matches(boxes: Sequence[Box], predictions: Sequence[Prediction], label: int, threshold: float) -> Counts:
    """Compare the detections of class `label` that score `threshold` or more with its boxes, in one picture.

    The best detection chooses first and takes the free box that it overlaps most; a box can be taken once.
    """
    free = [box for box in boxes if box.label == label]
    total, hits, false = len(free), 0, 0
    for found in sorted((p for p in predictions if p[0] == label and p[1] >= threshold), key=lambda p: -p[1]):
        best = max(free, key=lambda box: iou(box, found), default=None)
        if best is not None and iou(best, found) >= MATCH_IOU:
            free.remove(best)
            hits += 1
        else:
            false += 1
    return Counts(hits, false, total - hits)


def iou(box: Box, found: Prediction) -> float:
    """Intersection over union, 0 to 1."""
    _, _, x, y, w, h = found
    width = min(box.x + box.w, x + w) - max(box.x, x)
    height = min(box.y + box.h, y + h) - max(box.y, y)
    common = max(width, 0.0) * max(height, 0.0)
    return common / (box.w * box.h + w * h - common) if common else 0.0
