"""Which of the waiting parts go into the next batch: earliest deadline first, and never a wait.

A free inspector starts at once with what is there; batches grow only while it is busy, so that no part waits for a
neighbour. (Up to 5 ms of waiting would be allowed; with one camera a station it gains nothing.) When there is more than
can be done, the parts that can no longer make their deadline give way to those that can: otherwise every part would
be served a little too late.
"""

from collections import deque
from dataclasses import dataclass, field

from linewatch.core.messages import Inspect

_RECENT = 16


@dataclass
class RunTime:
    """How long a batch takes: the shortest of the last 16, so that a single stall condemns nobody. Nanoseconds."""

    _recent: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def add(self, took_ns: int) -> None:
        self._recent.append(took_ns)

    @property
    def shortest_ns(self) -> int:
        return min(self._recent, default=0)


@dataclass(frozen=True)
class Batch:
    """run: to be inspected now, most urgent first. expired: to be answered timeout without being run."""

    run: tuple[Inspect, ...]
    expired: tuple[Inspect, ...]


def next_batch(waiting: list[Inspect], now_ns: int, largest: int, shortest_ns: int) -> tuple[Batch, list[Inspect]]:
    """Split what waits into the next batch and the rest.

    largest: most parts in one batch. shortest_ns: what a batch takes at best.
    Returns the batch and the parts that go on waiting. A part that is not expired but too late to be finished in time
    is run only when no other is left, which also keeps the estimate `shortest_ns` fresh.
    """
    urgent_first = sorted(waiting, key=lambda request: (request.deadline_ns, request.seq))
    expired = [request for request in urgent_first if request.deadline_ns <= now_ns]
    alive = urgent_first[len(expired) :]
    feasible = [request for request in alive if request.deadline_ns >= now_ns + shortest_ns]
    late = alive[: len(alive) - len(feasible)]
    if not feasible:
        return Batch(tuple(late[:largest]), tuple(expired)), late[largest:]
    return Batch(tuple(feasible[:largest]), tuple(expired + late)), feasible[largest:]
