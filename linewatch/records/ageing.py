"""Removing pictures that are older than the station keeps them, a little at a time."""

import time
from collections.abc import Iterator
from pathlib import Path

from linewatch.core.clock import MonotonicClock
from linewatch.records.storage import Kept, PictureStore, pictures_of

_ROUND_NS = 600_000_000_000  # from one round over all pictures to the next
_STEP_NS = 20_000_000  # of looking and removing at once


class Ageing:
    """Goes over all pictures again and again. The wall clock is read once: a step of it makes nothing old.

    expired: pictures removed so far.
    """

    def __init__(self, store: PictureStore) -> None:
        self._store = store
        self._clock = MonotonicClock()
        self._wall_offset_s = time.time() - self._clock.now_ns() / 1e9
        self._left: Iterator[tuple[Path, Kept]] | None = None  # of the round that is going on
        self._next_round_ns = 0
        self.expired = 0

    def step(self) -> None:
        """Look at some more pictures, for some 20 ms. A disk that fails is left alone until the next round."""
        end_ns = self._clock.now_ns() + _STEP_NS
        if self._left is None and self._store.retention.expires and end_ns >= self._next_round_ns:
            self._left, self._next_round_ns = self._all(), end_ns + _ROUND_NS
        try:
            while self._left is not None and self._clock.now_ns() < end_ns:
                found = next(self._left, None)
                if found is None:
                    self._left = None
                else:
                    self._judge(*found)
        except OSError:
            self._left = None

    def _all(self) -> Iterator[tuple[Path, Kept]]:
        for run in self._store.runs:
            for picture in pictures_of(run):
                yield run, picture

    def _judge(self, run: Path, picture: Kept) -> None:
        oldest_s = self._store.retention.oldest_s(self._store.rank_of(picture.path))
        age_s = self._clock.now_ns() / 1e9 + self._wall_offset_s - picture.t_s
        if oldest_s is not None and age_s > oldest_s:
            picture.path.unlink(missing_ok=True)
            self._store.gone(run, picture)
            self.expired += 1
