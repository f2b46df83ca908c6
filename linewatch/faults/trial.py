"""What was seen of one fault: every part that came, what became of it, and how long the line took to recover."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from linewatch.core.messages import Cause
from linewatch.core.wire import Event, WireDecision
from linewatch.sim.gate import Fired

RunPart = tuple[str, int]


@dataclass(frozen=True)
class Trial:
    """One fault's parts and events.

    how: what was done. recovered_s: from the fault to the next inspected part with everything in order; none when that
    never came. unanswered: parts without a decision. lost: of those the ones that the rejecter
    did not reject either, by the gate's counter. double: parts with two decisions. unlogged: decisions in no log.
    """

    how: str
    limit_s: float
    fired: int
    decisions: tuple[WireDecision, ...]
    events: tuple[Event, ...]
    recovered_s: float | None
    unanswered: int
    lost: tuple[int, ...]
    double: int
    unlogged: int

    @property
    def causes(self) -> Counter[Cause]:
        return Counter(decision.cause for decision in self.decisions)

    @property
    def in_doubt(self) -> Counter[Cause]:
        """Fail-safe rejects by cause."""
        return Counter(decision.cause for decision in self.decisions if decision.cause.is_failsafe)

    @property
    def harmed(self) -> bool:
        """Whether there was anything to recover from."""
        return bool(self.in_doubt or self.unanswered or any(event.kind == "child_died" for event in self.events))

    def said(self, kind: str) -> list[Event]:
        """The events of `kind`."""
        return [event for event in self.events if event.kind == kind]


def unanswered_parts(fired: Sequence[Fired], decisions: Sequence[WireDecision], before: RunPart) -> list[Fired]:
    """The parts of `fired` without a decision.

    fired: in order. decisions: since the first of them. before: run and seq of the last part before. A run counts its
    parts without a gap; how many came before the first of a later run, its trigger times tell.
    """
    run, base = before
    first = {decision.seq - base for decision in decisions if decision.run == run}
    later = [decision for decision in decisions if decision.run != run]
    last = [decision for decision in later if decision.run == later[-1].run]
    seqs, split = {decision.seq for decision in last}, _parts_before(fired, last)
    return [
        part
        for number, part in enumerate(fired)
        if (number + 1 not in first if number < split else number - split + 1 not in seqs)
    ]


def _parts_before(fired: Sequence[Fired], decisions: Sequence[WireDecision]) -> int:
    """How many parts came before part 1 of the run of `decisions`; all, if that is none.

    No trigger is dated before it came, but a busy machine dates some later; where the message was lost, it is guessed.
    """
    times = [part.t_ns for part in fired]
    known = [one for one in decisions if one.cause is not Cause.DESYNC]
    return min((bisect_right(times, one.t_trigger_ns) - one.seq for one in known), default=len(fired))


def doubles(decisions: Sequence[WireDecision]) -> int:
    """How many parts got a second decision."""
    return sum(count > 1 for count in Counter((one.run, one.seq) for one in decisions).values())
