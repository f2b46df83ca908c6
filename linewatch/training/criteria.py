"""Acceptance scores for each class, from what the network says of good and of bad parts.

One score for all classes is as high as the class that good parts look most like demands, and lets the others' defects
pass. Here every class has its own scale, of logits: 0 is what good parts score in it on average, 1 what parts with such
a defect do. One place on that scale, the same for all classes, decides between escapes and false rejects, so that
there is one number to choose, however many classes there are.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations
from linewatch.training.matching import Prediction
from linewatch.training.part_level import Rate, choose_threshold, choose_within_false_rejects, wilson

Limit = Literal["escapes", "false_rejects"]
_Floats = npt.NDArray[np.float64]

_LEAST, _MOST = 0.02, 0.995  # scores beyond are taken for these: their logits would run away
_LEAST_SCALE = 0.5  # in logits; good parts and defects of a class are never taken to be closer than that
_STEPS = 1000  # a score has three decimals in a station file
_REACH = 40.0  # no place on a scale is farther than half of it from 0


class ClassScores(msgspec.Struct, frozen=True):
    """good: (n, C), bad: (m, C): best score (0 to 1) of each part in each class, 0 where nothing was detected.

    shows: (m, C) bool, which classes of defects a bad part has.
    """

    good: _Floats
    bad: _Floats
    shows: npt.NDArray[np.bool_]


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
    shows = np.array([[any(b.label == c for b in p.boxes) for c in range(len(truth.classes))] for p in truth.pictures])
    return ClassScores(rows[~bad], rows[bad], shows[bad])


def propose(scores: ClassScores, most: float, of: Limit = "escapes") -> Criteria:
    """Scores that keep the share of one kind of error within `most`, with the fewest of the other.

    When none do, those with the fewest of it.
    """
    zero, one = _scales(scores)
    good, bad = (_place(part, zero, one) / _REACH + 0.5 for part in (scores.good, scores.bad))
    if of == "escapes":
        point = choose_threshold(good.tolist(), bad.tolist(), most).point
    else:
        point = choose_within_false_rejects(good.tolist(), bad.tolist(), most)
    place = (point.threshold - 0.5) * _REACH
    levels = np.clip(1 / (1 + np.exp(-(zero + place * (one - zero)))), _LEAST, _MOST)
    rounded = (np.floor if of == "escapes" else np.ceil)(levels * _STEPS) / _STEPS  # never against what is to be kept
    return judge(scores, tuple(float(level) for level in rounded))


def judge(scores: ClassScores, levels: Sequence[float]) -> Criteria:
    """What rejecting at `levels` (one for each class) does to the parts."""
    caught, rejected = (int((part >= np.asarray(levels)).any(1).sum()) for part in (scores.bad, scores.good))
    bad, good = len(scores.bad), len(scores.good)
    return Criteria(tuple(levels), wilson(bad - caught, bad), wilson(rejected, good))


def frontier(scores: ClassScores) -> list[Criteria]:
    """The best proposals: from no escape to half of the bad parts, each with the fewest false rejects."""
    return [propose(scores, count / len(scores.bad)) for count in range(len(scores.bad) // 2 + 1)]


def _scales(scores: ClassScores) -> tuple[_Floats, _Floats]:
    """Logits of 0 and 1 of each class; a class without a defective part takes the others' length."""
    zero = _logit(scores.good).mean(0)
    counts = scores.shows.sum(0)
    typical = (_logit(scores.bad) * scores.shows).sum(0) / np.maximum(counts, 1)
    length = np.maximum(typical - zero, _LEAST_SCALE)
    length[counts == 0] = length[counts > 0].mean()
    return zero, zero + length


def _place(part: _Floats, zero: _Floats, one: _Floats) -> _Floats:
    """Place of each part on the scale of the class where it lies highest, (n,)."""
    return np.asarray(((_logit(part) - zero) / (one - zero)).max(1), np.float64)


def _logit(scores: _Floats) -> _Floats:
    inside = np.clip(scores, _LEAST, _MOST)
    return np.log(inside / (1 - inside))
