"""The figures that the demo derives from what it measured: pace, deadline, latencies. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_LOAD = 0.7  # share of the measured throughput that the line is run at
_SLOWEST, _FASTEST = 30, 1200  # bottles a minute; the upper end is what the fastest glass lines run
_DEADLINE_IN_PARTS = 5
_SHORTEST_DEADLINE_MS = 100


@dataclass(frozen=True)
class Speed:
    """What a warm-up of one part after the other found. part_ms: trigger to decision, median."""

    parts: int
    part_ms: float

    @property
    def parts_per_s(self) -> float:
        return 1000 / self.part_ms


@dataclass(frozen=True)
class Latency:
    """Trigger to decision over all parts; zeros without parts."""

    p50_ms: float
    p99_ms: float
    max_ms: float


def pace_for(speed: Speed) -> int:
    """Bottles a minute: 70% of what the machine inspects, in tens, 30 .. 1200."""
    return min(max(math.floor(speed.parts_per_s * 60 * _LOAD / 10 + 0.5) * 10, _SLOWEST), _FASTEST)


def deadline_for(speed: Speed) -> int:
    """Trigger to decision in ms: five times what a part takes, in tens upwards, at least 100."""
    return max(math.ceil(speed.part_ms * _DEADLINE_IN_PARTS / 10) * 10, _SHORTEST_DEADLINE_MS)


def latency(values_ms: Sequence[float]) -> Latency:
    """values_ms: one per part, any order."""
    if not values_ms:
        return Latency(0.0, 0.0, 0.0)
    ordered = sorted(values_ms)
    return Latency(quantile(ordered, 0.5), quantile(ordered, 0.99), ordered[-1])


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 .. 1) of the values do not exceed. ordered: rising, not empty."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]
