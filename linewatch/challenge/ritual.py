"""The ritual on a running line: say which part is wanted, hear what the line decides, until all came or time ends."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from linewatch.challenge.judging import Result, Seen, assigned, fits, result_of, same_name
from linewatch.challenge.line import SILENT_S, LineEar
from linewatch.challenge.parts import ChallengeSet, Slot, slots_of
from linewatch.core.clock import wall_time
from linewatch.core.wire import WireDecision
from linewatch.replay.interrupt import Interrupt

_LINGER_S = 0.5  # for a part more than the set has

Say = Callable[[str], None]


@dataclass
class Ritual:
    """say: hears what people at the line must do, and how far it is.

    model, recipe: that the station file names; the line must work with them. others: decisions of parts that are not of
    the set. problems: why the results prove nothing, whatever they are.
    """

    challenge: ChallengeSet
    ear: LineEar
    interrupt: Interrupt
    say: Say
    model: str
    recipe: str
    others: int = 0
    problems: list[str] = field(default_factory=list)
    _waiting: deque[Seen] = field(default_factory=deque)
    _since_ns: int = 0

    def perform(self) -> list[Result]:
        """A result for each passage of the set. The line must have been heard before."""
        self._since_ns, self.ear.silent_s = self.ear.line_ns, 0.0
        slots = slots_of(self.challenge)
        results = self._in_turn(slots) if self.challenge.order == "given" else self._in_any_order(slots)
        if self.challenge.traffic == "none":
            self._look_for_more()
        self._account()
        return results

    def _in_turn(self, slots: list[Slot]) -> list[Result]:
        results: list[Result] = []
        for number, slot in enumerate(slots, start=1):
            wanted = ", ".join(slot.part.expect) or "any defect"
            self.say(f"{number} of {len(slots)}: put in {slot}, expected: {wanted}; {self.challenge.window_s:g} s")
            result = result_of(slot, self._next(slot), self.challenge)
            results.append(result)
            self.say(f"    {result.outcome.value}{f': {result.words}' if result.words else ''}")
        return results

    def _next(self, slot: Slot) -> Seen | None:
        """The decision for `slot`; none when its window is over."""
        end_ns = self._end_ns(self.challenge.window_s)
        while True:
            while self._waiting:
                seen = self._waiting.popleft()
                if self.challenge.traffic == "none" or fits(slot, seen):
                    return seen
                self.others += 1
            if not self._hear(end_ns):
                return None

    def _in_any_order(self, slots: list[Slot]) -> list[Result]:
        parts = ", ".join(f"{part.name} x {part.times}" for part in self.challenge.parts)
        self.say(f"put in, in any order, within {self.challenge.window_s:g} s: {parts}")
        end_ns = self._end_ns(self.challenge.window_s)
        found: list[Seen] = []
        belongs: list[Seen | None] = []
        count, going_on = 0, True
        while count < len(slots) and going_on:
            going_on = self._hear(end_ns)
            came = self._candidates(slots)
            if came:
                found += came
                belongs = assigned(slots, found, whatever=self.challenge.traffic == "none")
                before, count = count, sum(seen is not None for seen in belongs)
                if count != before:
                    self.say(f"    {count} of {len(slots)}")
        self.others += len(found) - count
        belongs = belongs or [None] * len(slots)
        return [result_of(slot, seen, self.challenge) for slot, seen in zip(slots, belongs, strict=True)]

    def _candidates(self, slots: list[Slot]) -> list[Seen]:
        """What has come and may be of the set: everything, unless other parts are among them."""
        came = list(self._waiting)
        self._waiting.clear()
        of_set = [seen for seen in came if self.challenge.traffic == "none" or any(fits(slot, seen) for slot in slots)]
        self.others += len(came) - len(of_set)
        return of_set

    def _look_for_more(self) -> None:
        end_ns = self._end_ns(_LINGER_S)
        while self._hear(end_ns):
            pass
        self.others += len(self._waiting)
        if self.others:
            more = f"{self.others} more parts were decided than the set has: which of them were of it, nobody knows"
            self.problems.append(more)

    def _hear(self, end_ns: int) -> bool:
        """Take what the line says; false when the time is over or the ritual was interrupted."""
        for decision in self.ear.hear():
            if decision.t_trigger_ns >= self._since_ns:  # the others were at the gate before anybody was asked
                self._check_identity(decision)
                self._waiting.append(_seen(decision))
        return self.interrupt.signal is None and time.monotonic_ns() < end_ns

    def _check_identity(self, decision: WireDecision) -> None:
        for name, mine, theirs in (
            ("model", self.model, decision.model),
            ("recipe", self.recipe, decision.recipe),
        ):
            problem = f"the line works with {name} {theirs!r}, and the station file names {mine!r}"
            if not same_name(mine, theirs) and problem not in self.problems:
                self.problems.append(problem)

    def _account(self) -> None:
        """Whatever kept this observer from hearing all of it."""
        ear = self.ear
        if self.interrupt.signal is not None:
            self.problems.append(f"interrupted by {self.interrupt.signal.name}")
        if ear.missed:
            self.problems.append(f"{ear.missed} decisions were sent and not heard")
        if ear.undecodable:
            self.problems.append(f"{ear.undecodable} messages were not understood: is the line of another version?")
        if ear.silent_s > SILENT_S:
            self.problems.append(f"no heartbeat of the line for {ear.silent_s:.1f} s")
        if len(ear.runs) > 1:
            self.problems.append("the line began another run")

    def _end_ns(self, seconds: float) -> int:
        return time.monotonic_ns() + round(seconds * 1e9)


def _seen(decision: WireDecision) -> Seen:
    return Seen(
        run=decision.run,
        seq=decision.seq,
        verdict=decision.verdict,
        cause=decision.cause,
        score=decision.score,
        label=decision.label,
        decided_ms=round((decision.t_decision_ns - decision.t_trigger_ns) / 1e6, 3),
        at=wall_time(),
    )
