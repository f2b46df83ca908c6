"""Whether pictures slowly grow darker, brighter or blurred: a lamp that ages, a lens that fogs or turns (R14).

Compared is the middle of the last parts with the middle of the first parts of the run; single parts may differ as they
like. Judging one part by its own brightness and sharpness is `quality.py`'s.
"""

from collections import deque
from statistics import median

import cv2
import numpy as np

from linewatch.core.messages import Note
from linewatch.core.station import Drift as Limits
from linewatch.pictures.types import Picture

_SIDE = 256  # px; enough to tell blur by, and quick
_SPARSE = 4  # brightness is taken from every fourth pixel of every fourth row: the next part may be waiting
_OVER_AT = 0.8


class Drift:
    """Follows brightness and sharpness of one run's pictures."""

    def __init__(self, limits: Limits) -> None:
        self._parts = limits.parts
        self._measures = (_Measure("brightness", limits.brightness), _Measure("focus", limits.focus))

    def see(self, picture: Picture) -> list[Note]:
        """Count the sensor picture (H, W) or (H, W, 3) of one part; what is to be said about it."""
        values = float(picture[::_SPARSE, ::_SPARSE].mean()), sharpness(picture)
        return [note for m, value in zip(self._measures, values, strict=True) for note in m.add(value, self._parts)]


def sharpness(picture: Picture) -> float:
    """Standard deviation of the Laplacian of the middle of the picture, over its mean grey value: light cancels."""
    top, left = max(0, (picture.shape[0] - _SIDE) // 2), max(0, (picture.shape[1] - _SIDE) // 2)
    middle = picture[top : top + _SIDE, left : left + _SIDE]
    if middle.ndim == 3:
        middle = np.asarray(cv2.cvtColor(middle, cv2.COLOR_RGB2GRAY), np.uint8)
    return float(cv2.Laplacian(middle, cv2.CV_32F).std() / (middle.mean() + 1.0))


class _Measure:
    def __init__(self, name: str, limit: float | None) -> None:
        self._name = name
        self._limit = limit
        self._first: float | None = None
        self._last: deque[float] = deque()
        self._on = False

    def add(self, value: float, parts: int) -> list[Note]:
        if self._limit is None:
            return []
        self._last.append(value)
        if len(self._last) < parts:
            return []
        now = median(self._last)
        self._last.clear()
        if self._first is None:
            self._first = now
            return []
        return self._judge(abs(now / max(self._first, 1e-9) - 1), now, self._limit)

    def _judge(self, change: float, now: float, limit: float) -> list[Note]:
        if change > limit and not self._on:
            self._on = True
            text = f"{self._name}_drift: {now:.3g}, was {self._first:.3g} when the run began, limit {limit:.0%}"
            return [Note("alarm", text)]
        if change <= limit * _OVER_AT and self._on:
            self._on = False
            return [Note("alarm_over", f"{self._name}_drift")]
        return []
