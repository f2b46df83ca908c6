"""Acceptance scores for each class, from what the network says of good and of bad parts.

One score for all classes is as high as the class that good parts look most like demands, and lets the others' defects
pass. Here every class is measured against what good parts score in it: by how many of their standard deviations (of the
logit) a score lies above their mean. One number then, the same for all classes, decides between escapes and false
rejects, so that there is one to choose, however many classes there are.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations
from linewatch.training.matching import Prediction
from linewatch.training.part_level import Rate, choose_threshold, wilson

_Floats = npt.NDArray[np.float64]

_LEAST, _MOST = 0.02, 0.995  # scores beyond are taken for these: their logits would run away
_REACH = 80.0  # no excess is larger than half of it
_STEADY = 0.25  # in logits; a class that all good parts score alike in is not measured by less


class ClassScores(msgspec.Struct, frozen=True):
    """good: (n, C), bad: (m, C): best score (0 to 1) of each part in each class, 0 where nothing was detected."""

    good: _Floats
    bad: _Floats


class Criteria(msgspec.Struct, frozen=True):
    """scores: lowest score of each class that rejects. escapes, false_rejects: on the parts it was judged on."""

    scores: tuple[float, ...]
    escapes: Rate
    false_rejects: Rate


def class_scores(truth: Annotations, found: Sequence[Sequence[Prediction]]) -> ClassScores:
    """Best scores of each part. Raises DatasetError when good or bad parts are missing."""
    rows = np.zeros((len(truth.pictures), len(truth.classes)))
    for row, detections in zip(rows, found, strict=True):
        for label, score, *_ in detections:
            row[label] = max(row[label], score)
    bad = np.array([bool(picture.boxes) for picture in truth.pictures])
    if bad.all() or not bad.any():
        raise DatasetError("tune", f"needs good and bad parts, has {int((~bad).sum())} good and {int(bad.sum())} bad")
    return ClassScores(rows[~bad], rows[bad])


def propose(scores: ClassScores, max_escape: float) -> Criteria:
    """Scores with the fewest false rejects whose share of escapes is at most `max_escape`; else the fewest escapes."""
    logits = _logit(scores.good)
    mean, deviation = logits.mean(0), np.hypot(logits.std(0), _STEADY)
    good, bad = (_excess(part, mean, deviation) / _REACH + 0.5 for part in (scores.good, scores.bad))
    choice = choose_threshold(good.tolist(), bad.tolist(), max_escape)
    above = (choice.point.threshold - 0.5) * _REACH
    levels = np.clip(1 / (1 + np.exp(-(mean + above * deviation))), _LEAST, _MOST)
    return judge(scores, tuple(round(float(level), 3) for level in levels))


def judge(scores: ClassScores, levels: Sequence[float]) -> Criteria:
    """What rejecting at `levels` (one for each class) does to the parts."""
    caught, rejected = (int((part >= np.asarray(levels)).any(1).sum()) for part in (scores.bad, scores.good))
    bad, good = len(scores.bad), len(scores.good)
    return Criteria(tuple(levels), wilson(bad - caught, bad), wilson(rejected, good))


def frontier(scores: ClassScores) -> list[Criteria]:
    """The best proposals: from no escape to half of the bad parts, each with the fewest false rejects."""
    return [propose(scores, count / len(scores.bad)) for count in range(len(scores.bad) // 2 + 1)]


def _excess(part: _Floats, mean: _Floats, deviation: _Floats) -> _Floats:
    """How far each part lies above the good ones, in the class where it does most: (n,) standard deviations."""
    return np.asarray(((_logit(part) - mean) / deviation).max(1), np.float64)


def _logit(scores: _Floats) -> _Floats:
    inside = np.clip(scores, _LEAST, _MOST)
    return np.log(inside / (1 - inside))
