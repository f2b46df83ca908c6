"""When to blow: a part rejected now reaches the rejecter later, by the clock or by the belt."""

import heapq
from dataclasses import dataclass, field

from linewatch.actuators.belt import BeltView
from linewatch.core.messages import Verdict
from linewatch.core.wire import WireDecision


@dataclass(order=True)
class _Blow:
    at: int  # ns, or counts of the belt
    seq: int
    decision: WireDecision = field(compare=False)


class Schedule:
    """Blows in the order in which they are due. No IO, no clock of its own."""

    def __init__(self) -> None:
        self._timed: list[_Blow] = []
        self._tracked: list[_Blow] = []

    def add(self, decision: WireDecision) -> bool:
        """Plan the blow of a rejected part; False for a part that may pass."""
        if decision.verdict is Verdict.PASS:
            return False
        if decision.blow_count is None:
            heapq.heappush(self._timed, _Blow(decision.t_blow_ns, decision.seq, decision))
        else:
            heapq.heappush(self._tracked, _Blow(decision.blow_count, decision.seq, decision))
        return True

    def due(self, now_ns: int, belt: BeltView) -> list[tuple[WireDecision, float]]:
        """The blows to be given now, each with how late that is in ms, oldest first."""
        found: list[tuple[WireDecision, float]] = []
        while self._timed and self._timed[0].at <= now_ns:
            timed = heapq.heappop(self._timed)
            found.append((timed.decision, (now_ns - timed.at) / 1e6))
        while self._tracked and belt.due(self._tracked[0].decision, now_ns):
            tracked = heapq.heappop(self._tracked).decision
            found.append((tracked, belt.late_ms(tracked, now_ns)))
        return found

    def next_ns(self, belt: BeltView) -> int | None:
        """Time of the next blow as things are; none without any, and while the belt stands."""
        timed = self._timed[0].at if self._timed else None
        tracked = belt.blow_ns(self._tracked[0].decision) if self._tracked else None
        return min((at for at in (timed, tracked) if at is not None), default=None)

    def start_run(self, run: str) -> None:
        """Forget what other runs tracked: counts begin anew, and all is rejected until the belt is clear."""
        self._tracked = [blow for blow in self._tracked if blow.decision.run == run]
        heapq.heapify(self._tracked)
