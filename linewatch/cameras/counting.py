"""The frame counter of a camera as a number that never wraps."""

from dataclasses import dataclass

_REORDERED = 16  # a counter that falls back further than this is of a camera that started again


@dataclass(frozen=True)
class CounterRange:
    """first and last: what the counter runs through before it begins with `first` again."""

    first: int
    last: int


GIGE_16_BIT = CounterRange(1, 65_535)  # block 0 is left out
CHUNK_32_BIT = CounterRange(0, 2**32 - 1)
WIDE = CounterRange(0, 2**64 - 1)


class FrameCounting:
    """Unwraps one camera's counter."""

    def __init__(self, counters: CounterRange) -> None:
        self._first = counters.first
        self._span = counters.last - counters.first + 1
        self._newest: int | None = None

    def unwrap(self, counter: int) -> int | None:
        """The unwrapped value of `counter`; none when the camera has started to count again, which it then follows."""
        place = (counter - self._first) % self._span
        if self._newest is None:
            self._newest = place
            return place
        ahead = (place - self._newest) % self._span
        if ahead >= self._span // 2:
            ahead -= self._span
        if ahead < -_REORDERED:
            self._newest = place
            return None
        unwrapped = self._newest + ahead
        self._newest = max(self._newest, unwrapped)
        return unwrapped
