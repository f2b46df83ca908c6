"""Whether a camera gives the same picture again: sensor noise never repeats, so a repeat shows no new part."""

import math

import numpy as np

from linewatch.core.messages import Note
from linewatch.pictures.types import Picture

_COMPARED = (
    65_536  # pixels of a picture that are looked at: noise is everywhere, and 5 MP take well under a millisecond
)


class Frozen:
    """Compares each picture with the one before it."""

    def __init__(self, tolerance: int | None) -> None:
        """tolerance: grey values by which the same picture may differ, 0 is bit for bit; none never looks."""
        self._tolerance = tolerance
        self._last: Picture | None = None
        self._frozen = False
        self._notes: list[Note] = []

    def repeats(self, picture: Picture, seq: int) -> bool:
        """Whether `picture`, of part `seq`, is the one before it."""
        if self._tolerance is None:
            return False
        last, self._last = self._last, _sample(picture)
        frozen = last is not None and _same(last, self._last, self._tolerance)
        if frozen != self._frozen:
            self._frozen = frozen
            text = "frozen_picture" + (": the camera gives the same picture again and again" if frozen else "")
            self._notes.append(Note("alarm" if frozen else "alarm_over", text, seq))
        return frozen

    def notes(self) -> list[Note]:
        """What is to be said since the last call: when it froze and when that was over."""
        notes, self._notes = self._notes, []
        return notes


def _sample(picture: Picture) -> Picture:
    """A copy of every n-th pixel of every n-th row."""
    step = max(1, math.isqrt(picture.shape[0] * picture.shape[1] // _COMPARED))
    return picture[::step, ::step].copy()


def _same(one: Picture, other: Picture, tolerance: int) -> bool:
    if one.shape != other.shape:
        return False
    if tolerance == 0:
        return np.array_equal(one, other)
    return int(np.where(one > other, one - other, other - one).max(initial=0)) <= tolerance
