"""A belt with an encoder that can be stopped, slowed, and made to lie."""

import threading
import time

COUNTS = 1 << 32


class VirtualBelt:
    """Runs at `counts_per_s` times `speed` (0 .. 1 and more) since it was made; shared by threads."""

    def __init__(self, counts_per_s: float, first_count: int = 0) -> None:
        self._counts_per_s = counts_per_s
        self._speed = 1.0
        self._count = float(first_count)
        self._since_ns = time.monotonic_ns()
        self._lock = threading.Lock()

    def count(self) -> int:
        """Where the encoder stands: 32 bit, wraps."""
        with self._lock:
            return int(self._moved()) % COUNTS

    def set_speed(self, speed: float) -> None:
        """From now on, as a share of full speed; 0 stops it."""
        with self._lock:
            self._moved()
            self._speed = speed

    def jump(self, counts: int) -> None:
        """The encoder lies: it counts so many at once, backwards when negative."""
        with self._lock:
            self._count = self._moved() + counts

    def _moved(self) -> float:
        now_ns = time.monotonic_ns()
        self._count += (now_ns - self._since_ns) / 1e9 * self._counts_per_s * self._speed
        self._since_ns = now_ns
        return self._count
