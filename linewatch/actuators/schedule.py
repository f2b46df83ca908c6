"""When to blow: a part rejected now reaches the rejecter later."""

import heapq
from dataclasses import dataclass, field

from linewatch.core.messages import Verdict
from linewatch.core.wire import WireDecision


@dataclass(order=True)
class _Blow:
    t_ns: int
    seq: int
    decision: WireDecision = field(compare=False)


class Schedule:
    """Blows in order of their time. No IO, no clock of its own."""

    def __init__(self) -> None:
        self._blows: list[_Blow] = []

    def add(self, decision: WireDecision) -> bool:
        """Plan the blow of a rejected part; False for a part that may pass."""
        if decision.verdict is Verdict.PASS:
            return False
        heapq.heappush(self._blows, _Blow(decision.t_blow_ns, decision.seq, decision))
        return True

    def due(self, now_ns: int) -> list[WireDecision]:
        """The blows whose time has come, oldest first."""
        found = []
        while self._blows and self._blows[0].t_ns <= now_ns:
            found.append(heapq.heappop(self._blows).decision)
        return found

    def next_ns(self) -> int | None:
        """Time of the next blow."""
        return self._blows[0].t_ns if self._blows else None
