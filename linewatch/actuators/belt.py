"""Where the belt is now and when it will be where a part must be blown off, from what the line says of it. Pure."""

from collections import deque

from linewatch.core.wire import Belt, WireDecision

HORIZON_NS = 100_000_000  # a reading says nothing about where the belt is later than this: then all is rejected
_WINDOW_NS = 60_000_000  # over which speed is measured: single readings come late by some milliseconds
_STANDS_NS = 10_000_000  # two readings so far apart that say the same: the belt stands


class BeltView:
    """What an actuator knows of the belt of one run. Between two readings it goes on as it did in the last ones."""

    def __init__(self) -> None:
        self._expected = False
        self._heard = False
        self._told = ""
        self._readings: deque[tuple[int, int]] = deque([(0, 0)])  # time, count
        self._speed = 0.0  # counts a nanosecond

    def expect(self) -> None:
        """A decision has come that cannot be placed without the belt."""
        self._expected = True

    def heard(self, where: Belt) -> None:
        """The line has said where the belt stands; the same reading may come again."""
        first, self._heard, self._told = not self._heard, True, where.trouble
        if first:
            self._readings.clear()
        elif where.t_ns <= self._readings[-1][0]:
            return
        self._readings.append((where.t_ns, where.count))
        while len(self._readings) > 2 and self._readings[1][0] <= where.t_ns - _WINDOW_NS:
            self._readings.popleft()
        self._speed = self._measured()

    def trouble(self, now_ns: int) -> str:
        """Why no blow can be placed, empty while they can, and on a line that says nothing of its belt."""
        if not self._heard:
            return "the line has not said where the belt is" if self._expected else ""
        if self._told or now_ns - self._readings[-1][0] <= HORIZON_NS:
            return self._told
        return "where the belt is was last said too long ago"

    def blow_ns(self, decision: WireDecision) -> int | None:
        """When to give the order for a tracked part; none while the belt stands before its place or is far from it."""
        t_ns, count = self._readings[-1]
        ahead = (decision.blow_count or 0) - count
        if ahead <= 0:
            return t_ns
        if self._speed == 0:
            return None
        at_ns = round(t_ns + ahead / self._speed - (decision.reaction_ms or 0.0) * 1e6)
        return at_ns if at_ns <= t_ns + HORIZON_NS else None

    def due(self, decision: WireDecision, now_ns: int) -> bool:
        """Whether the order is to be given now."""
        at_ns = self.blow_ns(decision)
        return at_ns is not None and at_ns <= now_ns

    def late_ms(self, decision: WireDecision, now_ns: int) -> float:
        """How far the part is beyond the place where the order was due, in ms of a belt at full speed."""
        reaction_ms = decision.reaction_ms or 0.0
        travel = max(1, (decision.blow_count or 0) - (decision.count or 0))
        full_speed = travel / max(1.0, decision.eject_delay_ms + reaction_ms)  # counts a ms
        lead = self._speed * 1e6 * reaction_ms
        beyond = self._count_at(now_ns) + lead - (decision.blow_count or 0)
        return max(0.0, beyond / full_speed)

    def _count_at(self, now_ns: int) -> float:
        t_ns, count = self._readings[-1]
        return count + self._speed * min(max(0, now_ns - t_ns), HORIZON_NS)

    def _measured(self) -> float:
        (first_ns, first), (last_ns, last) = self._readings[0], self._readings[-1]
        if len(self._readings) < 2:
            return 0.0
        before_ns, before = self._readings[-2]
        if last == before and last_ns - before_ns >= _STANDS_NS:
            return 0.0
        return (last - first) / (last_ns - first_ns) if last_ns - first_ns >= _STANDS_NS else self._speed
