"""From what a network says at thousands of places to at most a hundred detections, in numpy.

The same steps and numbers as for DS-MoE (dsmoe/head.py): the 1000 strongest candidates above a score, overlaps within a
class removed, the 100 best kept.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

_CANDIDATES = 1000
_MOST = 100


@dataclass(frozen=True)
class Candidates:
    """boxes: (n, 4) x1, y1, x2, y2 in px of the network's input; scores: (n,); labels: (n,) class numbers."""

    boxes: Floats
    scores: Floats
    labels: Labels

    def __getitem__(self, chosen: npt.NDArray[np.bool_] | Labels) -> "Candidates":
        return Candidates(self.boxes[chosen], self.scores[chosen], self.labels[chosen])

    def strongest(self, min_score: float) -> "Candidates":
        """Those above min_score, best first; the earlier of equals comes first."""
        found = self[self.scores > min_score]
        return found[np.argsort(-found.scores, kind="stable")[:_CANDIDATES]]

    def best(self) -> "Candidates":
        """The first hundred."""
        return self[np.arange(min(len(self.scores), _MOST))]

    def without_overlaps(self, iou: float) -> "Candidates":
        """The stronger of any two of one class that overlap by more than `iou`. Best first, as given; at most 100."""
        left = np.arange(len(self.scores))
        areas = _areas(self.boxes)
        kept: list[int] = []
        while len(left) and len(kept) < _MOST:
            first, left = int(left[0]), left[1:]
            kept.append(first)
            common = _common(self.boxes[first], self.boxes[left])
            # Not divided: two boxes without area overlap by nothing, and not by NaN.
            overlaps = common > iou * (areas[first] + areas[left] - common)
            left = left[~(overlaps & (self.labels[left] == self.labels[first]))]
        return self[np.array(kept, np.int64)]


def from_scores(boxes: Floats, scores: Floats, above: float) -> Candidates:
    """Every class at every place whose score is above `above`. boxes: (n, 4); scores: (n, C)."""
    places, labels = np.nonzero(scores > above)
    return Candidates(boxes[places], scores[places, labels], labels)


def corners(boxes: Floats) -> Floats:
    """x1, y1, x2, y2 of (n, 4) boxes given by centre x, centre y, width and height."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def _areas(boxes: Floats) -> Floats:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def _common(box: Floats, others: Floats) -> Floats:
    """Area of each of the `others` (n, 4) that `box` (4,) covers."""
    upper_left, lower_right = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    return _areas(np.concatenate([upper_left, lower_right], axis=1))
