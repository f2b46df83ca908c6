"""Many triggers with random faults through the ledger: none missing, none double, none given to the wrong part."""

import random

import pytest

from linewatch.core.messages import Cause, FrameFailed, FrameReady, Inspection, Verdict
from linewatch.line.rules import Rules
from linewatch.line.sequencer import Sequencer

MS = 1_000_000
FAULTS = (
    *("none",) * 12,
    *("no_frame", "lost_frame", "lost_answer", "late_answer", "double_answer"),
    *("extra", "camera", "inspector", "missed"),
)


@pytest.mark.parametrize(
    "parts", [20_000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_every_trigger_gets_exactly_its_own_decision(parts: int) -> None:
    chance = random.Random(parts)
    sequencer = Sequencer(Rules("s", "r", 100 * MS, 40 * MS, 0, 900.0))
    waiting: list[tuple[int, Inspection]] = []  # when an answer comes, and the answer
    decided, now_ns = bytearray(parts + 1), 0
    for seq in range(1, parts + 1):
        now_ns += chance.randrange(20 * MS, 60 * MS)
        fault = chance.choice(FAULTS)
        for child in ("camera", "inspector"):
            if fault == child:
                sequencer.child_lost(child, now_ns)
            elif chance.random() < 0.3 or seq == 1:
                sequencer.child_ready(child)
        expose = sequencer.open(seq, now_ns, now_ns, missed=fault == "missed")
        if expose is not None:
            waiting += answers(sequencer, expose.seq, fault, now_ns)
        for inspection in [answer for at_ns, answer in waiting if at_ns <= now_ns]:
            sequencer.inspected(inspection, now_ns)
        waiting = [one for one in waiting if one[0] > now_ns]
        collect(sequencer, now_ns, decided)
    collect(sequencer, now_ns + 200 * MS, decided)
    assert decided.count(1) == parts
    assert sequencer.counters.decided == parts
    assert (
        min(sequencer.counters.causes[cause] for cause in (Cause.OK, Cause.TIMEOUT, Cause.DESYNC, Cause.STARTING)) > 0
    )


def answers(sequencer: Sequencer, seq: int, fault: str, now_ns: int) -> list[tuple[int, Inspection]]:
    """Let the camera answer for a part; what the inspector will then say and when. Odd parts have a defect."""
    if fault == "lost_frame":
        return []
    if fault == "no_frame":
        sequencer.failed(FrameFailed(seq, Cause.NO_FRAME, ""), now_ns)
        return []
    if fault == "extra":
        sequencer.captured(FrameReady(seq + 1, 0, 2, now_ns), now_ns)
        sequencer.inspected(Inspection(seq + 1, Cause.OK), now_ns)
    if sequencer.captured(FrameReady(seq, seq % 64, 2, now_ns), now_ns) is None or fault == "lost_answer":
        return []
    answer = Inspection(seq, Cause.DEFECT if seq % 2 else Cause.OK)
    late_ns = 300 * MS if fault == "late_answer" else 30 * MS
    return [(now_ns + late_ns, answer)] * (2 if fault == "double_answer" else 1)


def collect(sequencer: Sequencer, now_ns: int, decided: bytearray) -> None:
    for record in sequencer.due(now_ns):
        decision = record.decision
        assert decision.seq == decision.counter
        assert decision.verdict is Verdict.REJECT or decision.seq % 2 == 0
        decided[decision.seq] += 1
    sequencer.notes()
