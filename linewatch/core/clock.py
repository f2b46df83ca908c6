"""One source of time for every duration and deadline; the wall clock only annotates records."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Monotonic nanoseconds; a recorded run supplies its own."""

    def now_ns(self) -> int: ...


class MonotonicClock:
    """The machine's monotonic clock: shared by all processes of one boot, untouched by steps of the wall clock."""

    def now_ns(self) -> int:
        return time.monotonic_ns()


class RecordedClock:
    """A clock that stands where the replay puts it, so that recorded times decide as they did on the line."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        return self._now_ns

    def set(self, now_ns: int) -> None:
        """Move to `now_ns`; never backwards, as a monotonic clock never goes there."""
        self._now_ns = max(self._now_ns, now_ns)


def wall_time() -> str:
    """The wall clock as ISO 8601 in UTC with milliseconds, for annotation only."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
