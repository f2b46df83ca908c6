"""How good a model is, part by part: escapes (bad parts that pass) and false rejects, over the score threshold.

A part is rejected when its best detection scores the threshold or more, so its one number is that best score (0 without
any detection). Average precision says little about this: a line lives or dies by false rejects.
"""

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import DatasetError

_Scores = npt.NDArray[np.float64]

# Two-sided 95% quantile of the normal distribution.
_Z95 = 1.959963984540054


class Rate(msgspec.Struct, frozen=True):
    """`count` of `total` parts. low, high: 95% interval of the true share, after Wilson."""

    count: int
    total: int
    share: float
    low: float
    high: float


class OperatingPoint(msgspec.Struct, frozen=True):
    """What a threshold does. low, high: any threshold above low, up to high, does exactly the same."""

    threshold: float
    low: float
    high: float
    escapes: Rate
    false_rejects: Rate


class ThresholdChoice(msgspec.Struct, frozen=True):
    """point: the choice. max_escape: the limit asked for. met: whether the escapes keep within it on these parts."""

    point: OperatingPoint
    max_escape: float
    met: bool


def wilson(count: int, total: int) -> Rate:
    """The rate count / total with its 95% interval (Wilson's score interval). total: above 0."""
    share, z2 = count / total, _Z95**2
    middle = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = _Z95 / (1 + z2 / total) * math.sqrt(share * (1 - share) / total + z2 / (4 * total**2))
    # At 0 and at all, the bound is exact; rounding would leave 1e-18.
    low = 0.0 if count == 0 else middle - half
    high = 1.0 if count == total else middle + half
    return Rate(count, total, share, low, high)


def curve(good: Sequence[float], bad: Sequence[float]) -> tuple[OperatingPoint, ...]:
    """Every operating point there is, thresholds rising: false rejects fall and escapes rise.

    good, bad: best score (0 to 1) of each good and of each bad part.
    Raises DatasetError when a side has no parts or a score is no number from 0 to 1.
    """
    goods, bads = _scores("good parts", good), _scores("bad parts", bad)
    edges = np.unique(np.concatenate([[0.0, 1.0], goods, bads]))
    spans = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return tuple(_point(goods, bads, low, high) for low, high in spans)


def choose_threshold(good: Sequence[float], bad: Sequence[float], max_escape: float = 0.01) -> ThresholdChoice:
    """The threshold with the fewest false rejects whose share of escapes is at most `max_escape`.

    Among equals the fewest escapes, then the widest margin; the threshold is the middle of its plateau. When no
    threshold keeps the limit: the one with the fewest escapes, then false rejects, and `met` is false.
    """
    _check_share("max_escape", max_escape)
    points = curve(good, bad)
    within = [point for point in points if point.escapes.share <= max_escape]
    if within:
        best = min(within, key=lambda p: (p.false_rejects.count, p.escapes.count, p.low - p.high))
    else:
        best = min(points, key=lambda p: (p.escapes.count, p.false_rejects.count, p.low - p.high))
    return ThresholdChoice(best, max_escape, bool(within))


def choose_within_false_rejects(good: Sequence[float], bad: Sequence[float], most: float) -> OperatingPoint:
    """The operating point with the fewest escapes whose share of false rejects is at most `most`, 0 to 1.

    Among equals the fewest false rejects, then the widest margin. When good parts score 1, perhaps no threshold keeps
    the limit: then the one with the fewest false rejects.
    """
    _check_share("max_false_rejects", most)
    points = curve(good, bad)
    fewest = min(point.false_rejects.share for point in points)
    within = [point for point in points if point.false_rejects.share <= max(most, fewest)]
    return min(within, key=lambda p: (p.escapes.count, p.false_rejects.count, p.low - p.high))


def choose_within_both(
    good: Sequence[float], bad: Sequence[float], max_escape: float, max_false_reject: float
) -> OperatingPoint:
    """The middle of the thresholds that keep both limits, so as far as can be from breaking either.

    When none keeps both, `choose_threshold` for the escapes.
    """
    _check_share("max_escape", max_escape)
    _check_share("max_false_reject", max_false_reject)
    points = curve(good, bad)
    both = [p for p in points if p.escapes.share <= max_escape and p.false_rejects.share <= max_false_reject]
    if not both:
        return choose_threshold(good, bad, max_escape).point
    middle = (both[0].low + both[-1].high) / 2
    point = next(point for point in both if point.low < middle <= point.high)
    return msgspec.structs.replace(point, threshold=middle)


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise DatasetError(name, "must lie in 0 to 1", value)


def _scores(where: str, values: Sequence[float]) -> _Scores:
    scores = np.sort(np.asarray(values, dtype=np.float64))
    if not len(scores):
        raise DatasetError(where, "there are none, so no rate can be given")
    # A NaN is sorted to the end and fails the comparison.
    if not (scores[0] >= 0 and scores[-1] <= 1):
        raise DatasetError(where, "a score must be a number from 0 to 1", [float(scores[0]), float(scores[-1])])
    return scores


def _point(goods: _Scores, bads: _Scores, low: float, high: float) -> OperatingPoint:
    """The operating point of all thresholds above `low`, up to `high`."""
    escapes = int(np.searchsorted(bads, low, side="right"))
    passed = int(np.searchsorted(goods, low, side="right"))
    return OperatingPoint(
        threshold=(low + high) / 2,
        low=low,
        high=high,
        escapes=wilson(escapes, len(bads)),
        false_rejects=wilson(len(goods) - passed, len(goods)),
    )
