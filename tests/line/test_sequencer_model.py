"""Whatever happens in whatever order: one decision a part, no PASS without a good inspection in time."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from linewatch.core.messages import Cause, Decision, Detection, FrameFailed, FrameReady, Inspection, Verdict
from linewatch.line.rules import Rules
from linewatch.line.sequencer import Sequencer

DEADLINE_NS, CAPTURE_NS, MOST = 1000, 300, 5
SEQS = st.integers(-1, 12)
SCORES = st.sampled_from([0.0, 0.5, 1.0, 1.5, float("nan"), float("inf")])
EFFECTS = st.sampled_from(["reject", "warn", "ignore"])


class LineModel(RuleBasedStateMachine):
    """The model: per part its trigger time and whether it may pass; per decision that it is the first of its part."""

    def __init__(self) -> None:
        super().__init__()
        self.sequencer = Sequencer(Rules("s", "r", DEADLINE_NS, CAPTURE_NS, 0, 10.0, MOST))
        self.now = 0
        self.triggers: dict[int, int] = {}
        self.framed: set[int] = set()
        self.may_pass: set[int] = set()
        self.decided: dict[int, Decision] = {}
        self.stop_at: int | None = None
        self.ready: set[str] = set()

    def drain(self) -> None:
        for record in self.sequencer.due(self.now):
            decision = record.decision
            assert decision.seq in self.triggers, "a decision for no part"
            assert decision.seq not in self.decided, "a second decision"
            assert (decision.verdict is Verdict.PASS) == (decision.cause is Cause.OK)
            assert decision.verdict is Verdict.REJECT or decision.seq in self.may_pass
            assert decision.deadline_ns == self.triggers[decision.seq] + DEADLINE_NS
            self.decided[decision.seq] = decision

    @rule(ahead=st.integers(0, 600))
    def time_passes(self, ahead: int) -> None:
        self.now += ahead
        self.drain()

    @rule(age=st.integers(0, 1200), missed=st.booleans())
    def trigger(self, age: int, missed: bool) -> None:
        t_ns = max(0, self.now - age)
        undecided = len(self.triggers) - len(self.decided)
        expose = self.sequencer.open(7, t_ns, self.now, missed=missed)
        seq = len(self.triggers) + 1
        self.triggers[seq] = t_ns
        wanted = not missed and self.stop_at is None and len(self.ready) == 2 and undecided < MOST
        assert (expose is not None) == wanted
        assert expose is None or expose.seq == seq
        self.drain()

    @rule(seq=SEQS, late=st.integers(-400, 400))
    def frame(self, seq: int, late: int) -> None:
        open_part = seq in self.triggers and seq not in self.decided and seq not in self.framed
        inspect = self.sequencer.captured(FrameReady(seq, 1, 2, self.triggers.get(seq, 0) + late), self.now)
        assert (inspect is not None) == (open_part and abs(late) <= CAPTURE_NS and "inspector" in self.ready)
        if open_part:
            self.framed.add(seq)
        self.drain()

    @rule(seq=SEQS, cause=st.sampled_from(Cause))
    def frame_fails(self, seq: int, cause: Cause) -> None:
        self.sequencer.failed(FrameFailed(seq, cause, ""), self.now)
        self.drain()

    @rule(
        seq=SEQS,
        cause=st.sampled_from(Cause),
        score=SCORES,
        effect=EFFECTS,
        found=st.booleans(),
        wait=st.integers(0, 500),
    )
    def answer(self, seq: int, cause: Cause, score: float, effect: str, found: bool, wait: int) -> None:
        self.now += wait  # the loop may notice an answer before it notices the deadline
        detections = (Detection("chip", score, 0, 0, 1, 1, effect),) if found else ()
        good = cause is Cause.OK and (not found or (0 <= score <= 1 and effect != "reject"))
        limit = self.triggers.get(seq, 0) + DEADLINE_NS
        if good and seq in self.framed and self.now < limit and (self.stop_at is None or self.now < self.stop_at):
            self.may_pass.add(seq)
        self.sequencer.inspected(Inspection(seq, cause, detections), self.now)
        self.drain()

    @rule(child=st.sampled_from(["camera", "inspector", "recorder"]))
    def child_ready(self, child: str) -> None:
        self.sequencer.child_ready(child)
        self.ready |= {child} & {"camera", "inspector"}

    @rule(child=st.sampled_from(["camera", "inspector", "recorder"]))
    def child_lost(self, child: str) -> None:
        self.sequencer.child_lost(child, self.now)
        self.ready.discard(child)
        self.drain()

    @precondition(lambda self: self.stop_at is None)
    @rule(grace=st.integers(0, 800))
    def stop(self, grace: int) -> None:
        self.stop_at = self.now + grace
        self.sequencer.stop(self.stop_at)
        self.drain()

    @invariant()
    def books_balance(self) -> None:
        undecided = self.triggers.keys() - self.decided.keys()
        assert self.sequencer.in_flight == len(undecided) <= MOST
        assert all(self.now < self.triggers[seq] + DEADLINE_NS for seq in undecided)
        assert self.stop_at is None or not undecided or self.now < self.stop_at
        assert self.sequencer.decided_up_to == min(undecided, default=len(self.triggers) + 1) - 1
        deadline = self.sequencer.next_deadline_ns()
        assert (deadline is None) == (not undecided)
        assert deadline is None or deadline > self.now
        counters = self.sequencer.counters
        assert counters.triggers == len(self.triggers)
        assert counters.decided == len(self.decided) == sum(counters.causes.values()) == sum(counters.verdicts.values())

    def teardown(self) -> None:
        self.now += DEADLINE_NS
        self.drain()
        assert self.decided.keys() == self.triggers.keys()


TestLineModel = LineModel.TestCase
