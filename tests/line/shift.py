"""A shift of a line without processes: gate counting and ledger, and every fault that their messages can have.

Messages of gate, camera and inspector are lost, delayed, doubled and overtake each other; children die and come back;
the run itself is stopped or killed. Hypothesis chooses how often each happens and when, and shrinks what fails.
"""

import heapq
import itertools
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from linewatch.core.messages import Cause, Decision, FrameFailed, FrameReady, Inspection, Verdict
from linewatch.line.rules import Rules
from linewatch.line.sequencer import Sequencer
from linewatch.triggers.counting import Counting

MS = 1_000_000
DEADLINE_NS, CAPTURE_NS, MOST_IN_FLIGHT = 100 * MS, 40 * MS, 12
FAULTS = (
    "trigger lost", "trigger twice", "burst", "frame lost", "frame failed", "frame twice", "exposed late",
    "answer lost", "answer failed", "answer twice", "delay", "stray", "camera lost", "inspector lost", "loop held up",
)  # fmt: skip
RATES = st.fixed_dictionaries(dict.fromkeys(FAULTS, st.sampled_from([0.0, 0.0, 0.01, 0.1, 0.4])))


@dataclass
class Part:
    """What is known of a part beside the ledger. touched: a fault hit it, so that any reject will do."""

    counter: int
    t_ns: int
    good: bool
    touched: bool = False
    framed: bool = False
    may_pass: bool = False


class Shift(RuleBasedStateMachine):
    """One line over some runs. Of all shifts together: triggers, runs, causes, cut_off (in flight in a killed run)."""

    stretch_parts: ClassVar[int] = 25
    triggers: ClassVar[int] = 0
    runs: ClassVar[int] = 0
    cut_off: ClassVar[int] = 0
    causes: ClassVar[Counter[Cause]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = self.gate_ns = self.gate_counter = 0
        self.chance, self.rates = random.Random(0), dict.fromkeys(FAULTS, 0.0)
        self.order = itertools.count()
        self.begin_run()

    def begin_run(self) -> None:
        Shift.runs += 1
        self.sequencer = Sequencer(Rules("s", "r", DEADLINE_NS, CAPTURE_NS, 0, 900.0, MOST_IN_FLIGHT))
        self.counting = Counting()
        self.queue: list[tuple[int, int, Callable[[], object]]] = []  # what was on its way dies with its channel
        self.parts: dict[int, Part] = {}
        self.undecided: set[int] = set()
        self.exposed: set[int] = set()  # the others are decided as they come, if not yet told
        self.ready = {"camera", "inspector"}
        for child in self.ready:
            self.sequencer.child_ready(child)

    # What happens

    @rule(seed=st.integers(0, 2**32 - 1), rates=RATES)
    def parts_come(self, seed: int, rates: dict[str, float]) -> None:
        self.chance, self.rates = random.Random(seed), rates
        for _ in range(self.stretch_parts):
            self.gate_ns = max(self.gate_ns, self.now_ns)
            self.gate_ns += self.chance.randrange(2 * MS) if self.hits("burst") else self.chance.randrange(20, 60) * MS
            self.later(self.gate_ns, partial(self.part_comes, self.gate_ns))
            self.run_until(self.gate_ns)

    @rule(grace_ms=st.integers(0, 200))
    def stopped(self, grace_ms: int) -> None:
        self.touch_all()
        self.sequencer.stop(self.now_ns + grace_ms * MS)
        self.run_until(self.now_ns + min(grace_ms * MS, DEADLINE_NS))
        self.end_run()
        self.begin_run()

    @rule()
    def killed(self) -> None:
        Shift.cut_off += len(self.undecided)
        self.undecided.clear()
        self.end_run()
        self.begin_run()

    def teardown(self) -> None:
        self.run_until(self.now_ns + DEADLINE_NS)
        self.end_run()

    # Its parts

    def part_comes(self, t_ns: int) -> None:
        self.gate_counter += 1
        for child in ("camera", "inspector"):
            if self.hits(f"{child} lost"):
                self.lose(child)
        if self.hits("stray"):
            self.stray()
        for _ in range(0 if self.hits("trigger lost") else 2 if self.hits("trigger twice") else 1):
            step = self.counting.step(self.gate_counter)
            for counter in () if step.kind == "duplicate" else (*step.missed, self.gate_counter):
                self.open(counter, t_ns, missed=counter != self.gate_counter)

    def open(self, counter: int, t_ns: int, *, missed: bool) -> None:
        wanted = not missed and len(self.ready) == 2 and len(self.undecided & self.exposed) < MOST_IN_FLIGHT
        expose = self.sequencer.open(counter, t_ns, self.now_ns, missed=missed)
        assert (expose is not None) == wanted
        Shift.triggers += 1
        seq = len(self.parts) + 1
        self.parts[seq] = Part(counter, t_ns, self.chance.random() < 0.7, touched=not wanted)
        self.undecided.add(seq)
        self.later(t_ns + DEADLINE_NS, lambda: None)  # the loop wakes up for it
        if expose is not None:
            assert expose.seq == seq
            self.exposed.add(seq)
            self.expose(seq, self.parts[seq])

    def expose(self, seq: int, part: Part) -> None:
        if self.faulty("frame lost", part):
            return
        if self.faulty("frame failed", part):
            self.later(self.now_ns, partial(self.frame_failed, seq))
        t_exposed_ns = part.t_ns + CAPTURE_NS + (1 if self.faulty("exposed late", part) else 0)
        for _ in range(2 if self.hits("frame twice") else 1):
            self.later(self.now_ns + self.delay(part), partial(self.frame, seq, t_exposed_ns))

    def frame_failed(self, seq: int) -> None:
        self.sequencer.failed(FrameFailed(seq, Cause.NO_FRAME, ""), self.now_ns)

    def frame(self, seq: int, t_exposed_ns: int) -> None:
        part = self.parts[seq]
        inspect = self.sequencer.captured(FrameReady(seq, seq % 64, 2, t_exposed_ns), self.now_ns)
        assert inspect is None or not part.framed, "inspected twice"
        part.framed = True
        if inspect is None or self.faulty("answer lost", part):
            return
        assert inspect.seq == seq and inspect.deadline_ns <= part.t_ns + DEADLINE_NS
        cause = Cause.OK if part.good else Cause.DEFECT
        answer = Inspection(seq, Cause.MODEL_ERROR if self.faulty("answer failed", part) else cause)
        for _ in range(2 if self.hits("answer twice") else 1):
            self.later(self.now_ns + self.delay(part), partial(self.answer, answer))

    def answer(self, answer: Inspection) -> None:
        part = self.parts[answer.seq]
        part.may_pass |= answer.cause is Cause.OK and self.now_ns < part.t_ns + DEADLINE_NS
        self.sequencer.inspected(answer, self.now_ns)

    def stray(self) -> None:
        """A frame and an answer for a part that never was, and for one that has its decision."""
        decided = self.parts.keys() - self.undecided
        for seq in (len(self.parts) + 1 + self.chance.randrange(3), *list(decided)[:1], 0, -1):
            assert self.sequencer.captured(FrameReady(seq, 0, 2, self.now_ns), self.now_ns) is None
            self.sequencer.inspected(Inspection(seq, Cause.OK), self.now_ns)

    def lose(self, child: str) -> None:
        self.touch_all()
        self.ready.discard(child)
        self.sequencer.child_lost(child, self.now_ns)
        held = {seq for seq in self.undecided if self.parts[seq].framed == (child == "inspector")}
        self.drain()
        assert not held & self.undecided, "waits for a child that is gone"
        self.later(self.now_ns + self.chance.randrange(500 * MS), partial(self.come_back, child))

    def come_back(self, child: str) -> None:
        self.ready.add(child)
        self.sequencer.child_ready(child)

    # Time and books

    def later(self, t_ns: int, what: Callable[[], object]) -> None:
        heapq.heappush(self.queue, (t_ns, next(self.order), what))

    def run_until(self, end_ns: int) -> None:
        while self.queue and self.queue[0][0] <= end_ns:
            t_ns, _, what = heapq.heappop(self.queue)
            self.now_ns = max(self.now_ns, t_ns)
            if self.hits("loop held up"):
                self.now_ns += self.chance.randrange(150 * MS)
            what()
            if self.now_ns > t_ns:
                self.touch_all()
            self.drain()
        self.now_ns = max(self.now_ns, end_ns)
        self.drain()

    def drain(self) -> None:
        for record in self.sequencer.due(self.now_ns):
            self.check(record.decision)
        self.sequencer.notes()
        assert not any(self.now_ns >= self.parts[seq].t_ns + DEADLINE_NS for seq in self.undecided), "overdue"

    def check(self, decision: Decision) -> None:
        assert decision.seq in self.undecided, "a second decision, or one for no part"
        self.undecided.discard(decision.seq)
        self.exposed.discard(decision.seq)
        Shift.causes[decision.cause] += 1
        part = self.parts[decision.seq]
        assert (decision.counter, decision.t_trigger_ns) == (part.counter, part.t_ns), "another part's decision"
        assert (decision.verdict is Verdict.PASS) == (decision.cause is Cause.OK)
        assert decision.verdict is Verdict.REJECT or (part.good and part.may_pass)
        assert part.touched or decision.cause is (Cause.OK if part.good else Cause.DEFECT), "no fault, and yet in doubt"

    def end_run(self) -> None:
        assert not self.undecided
        counters = [part.counter for part in self.parts.values()]
        assert counters == [counters[0] + number for number in range(len(counters))]

    def touch_all(self) -> None:
        for seq in self.undecided:
            self.parts[seq].touched = True

    def hits(self, fault: str) -> bool:
        return self.chance.random() < self.rates[fault]

    def faulty(self, fault: str, part: Part) -> bool:
        hit = self.hits(fault)
        part.touched |= hit
        return hit

    def delay(self, part: Part) -> int:
        return self.chance.randrange(300 if self.faulty("delay", part) else 30) * MS
