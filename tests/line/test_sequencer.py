"""The ledger of parts: each gets exactly one decision, and only a good inspection in time passes."""

import math

import pytest

from linewatch.core.messages import (
    Cause,
    Detection,
    Expose,
    FrameFailed,
    FrameReady,
    Inspect,
    Inspection,
    Record,
    Verdict,
)
from linewatch.line.rules import Rules
from linewatch.line.sequencer import Sequencer

MS = 1_000_000
RULES = Rules("t1", "run-1", 100 * MS, 40 * MS, 20 * MS, 980.0, max_in_flight=4)


def ready(rules: Rules = RULES) -> Sequencer:
    sequencer = Sequencer(rules)
    sequencer.child_ready("camera")
    sequencer.child_ready("inspector")
    return sequencer


def captured(sequencer: Sequencer, at_ms: float = 0) -> Inspect | None:
    """Open one part and capture it 5 ms later."""
    t_ns = round(at_ms * MS)
    expose = sequencer.open(1, t_ns, t_ns)
    assert expose is not None
    return sequencer.captured(FrameReady(expose.seq, 3, 8, t_ns + 5 * MS, "a.png"), t_ns + 6 * MS)


def only(records: list[Record]) -> Record:
    (record,) = records
    return record


def outcome(sequencer: Sequencer, at_ms: float = 50) -> tuple[Verdict, Cause]:
    decision = only(sequencer.due(round(at_ms * MS))).decision
    return decision.verdict, decision.cause


def kinds(sequencer: Sequencer) -> list[str]:
    return [note.kind for note in sequencer.notes()]


def chip(score: float = 0.9, effect: str = "reject", x: float = 1.0) -> Detection:
    return Detection("chip", score, x, 2.0, 3.0, 4.0, effect)


def test_a_good_part_passes_with_everything_in_its_decision() -> None:
    sequencer = ready()
    assert sequencer.open(77, 0, 1 * MS) == Expose(1, 0)
    order = sequencer.captured(FrameReady(1, 3, 8, 5 * MS, "a.png"), 6 * MS)
    assert order == Inspect(1, 3, 8, 100 * MS)
    sequencer.inspected(Inspection(1, Cause.OK), 30 * MS)
    record = only(sequencer.due(30 * MS))
    decision = record.decision
    assert (decision.station, decision.run, decision.seq, decision.counter) == ("t1", "run-1", 1, 77)
    assert (decision.verdict, decision.cause) == (Verdict.PASS, Cause.OK)
    assert (decision.t_trigger_ns, decision.t_decision_ns, decision.deadline_ns) == (0, 30 * MS, 100 * MS)
    assert decision.eject_delay_ms == 980.0
    assert (record.slot, record.generation, record.source) == (3, 8, "a.png")
    assert sequencer.due(10**12) == []


def test_a_defect_rejects_and_names_the_strongest_that_counts() -> None:
    sequencer = ready()
    captured(sequencer)
    found = (chip(0.99, "warn"), Detection("crack", 0.7, 0, 0, 1, 1, "reject"), chip(0.6))
    sequencer.inspected(Inspection(1, Cause.DEFECT, found), 30 * MS)
    record = only(sequencer.due(30 * MS))
    assert (record.decision.cause, record.decision.label, record.decision.score) == (Cause.DEFECT, "crack", 0.7)
    assert record.detections == found


def test_nothing_heard_is_a_timeout_at_the_deadline_and_not_before() -> None:
    sequencer = ready()
    sequencer.open(1, 0, 0)
    captured(sequencer, 30)
    assert sequencer.next_deadline_ns() == 100 * MS
    assert sequencer.due(100 * MS - 1) == []
    assert only(sequencer.due(100 * MS)).decision.reason == "no frame in time"
    assert sequencer.next_deadline_ns() == 130 * MS
    last = only(sequencer.due(130 * MS)).decision
    assert (last.cause, last.reason) == (Cause.TIMEOUT, "no inspection in time")
    assert sequencer.next_deadline_ns() is None


def test_a_late_inspection_is_noted_and_never_a_second_decision() -> None:
    sequencer = ready()
    captured(sequencer)
    assert outcome(sequencer, 100) == (Verdict.REJECT, Cause.TIMEOUT)
    sequencer.inspected(Inspection(1, Cause.OK), 101 * MS)
    assert sequencer.due(102 * MS) == []
    assert kinds(sequencer) == ["late"]
    assert sequencer.counters.late == 1


def test_an_inspection_after_the_deadline_is_late_even_if_the_deadline_was_not_yet_noticed() -> None:
    sequencer = ready()
    captured(sequencer)
    sequencer.inspected(Inspection(1, Cause.OK), 100 * MS)
    assert outcome(sequencer, 100) == (Verdict.REJECT, Cause.TIMEOUT)
    assert kinds(sequencer) == ["late"]


@pytest.mark.parametrize(
    ("inspection", "cause"),
    [
        (Inspection(1, Cause.OK, (chip(math.nan, "ignore"),)), Cause.NON_FINITE),
        (Inspection(1, Cause.DEFECT, (chip(x=math.inf),)), Cause.NON_FINITE),
        (Inspection(1, Cause.OK, (chip(1.2, "ignore"),)), Cause.MODEL_ERROR),
        (Inspection(1, Cause.OK, (chip(),)), Cause.MODEL_ERROR),
        (Inspection(1, Cause.OK, (chip(0.2, "ignore"), chip(0.5, "warn"))), Cause.OK),
        (Inspection(1, Cause.BLUR), Cause.BLUR),
        (Inspection(1, Cause.DEFECT), Cause.DEFECT),
    ],
)
def test_only_an_inspection_without_contradiction_passes(inspection: Inspection, cause: Cause) -> None:
    sequencer = ready()
    captured(sequencer)
    sequencer.inspected(inspection, 30 * MS)
    record = only(sequencer.due(30 * MS))
    assert record.decision.cause is cause
    assert (record.decision.verdict is Verdict.PASS) == (cause is Cause.OK)
    assert math.isfinite(record.decision.score)


def test_an_inspection_without_a_frame_is_believed_by_nobody() -> None:
    sequencer = ready()
    sequencer.open(1, 0, 0)
    sequencer.inspected(Inspection(1, Cause.OK), 5 * MS)
    assert outcome(sequencer) == (Verdict.REJECT, Cause.DESYNC)


@pytest.mark.parametrize(("exposed_ms", "late"), [(40, False), (40.1, True), (-40, False), (-41, True)])
def test_exposure_too_far_from_the_trigger(exposed_ms: float, late: bool) -> None:
    sequencer = ready()
    sequencer.open(1, 0, 0)
    order = sequencer.captured(FrameReady(1, 0, 2, round(exposed_ms * MS)), 50 * MS)
    assert (order is None) == late
    if late:
        assert outcome(sequencer) == (Verdict.REJECT, Cause.CAPTURE_JITTER)


@pytest.mark.parametrize(
    ("said", "cause"), [(Cause.INCOMPLETE_FRAME, Cause.INCOMPLETE_FRAME), (Cause.OK, Cause.NO_FRAME)]
)
def test_a_failed_frame_never_passes(said: Cause, cause: Cause) -> None:
    sequencer = ready()
    sequencer.open(1, 0, 0)
    sequencer.failed(FrameFailed(1, said, "half of it"), 5 * MS)
    assert outcome(sequencer) == (Verdict.REJECT, cause)


@pytest.mark.parametrize("seq", [0, -1, 2, 99])
def test_frames_and_answers_for_no_part_change_nothing(seq: int) -> None:
    sequencer = ready()
    captured(sequencer)
    assert sequencer.captured(FrameReady(seq, 0, 2, 5 * MS), 6 * MS) is None
    sequencer.failed(FrameFailed(seq, Cause.NO_FRAME, ""), 6 * MS)
    sequencer.inspected(Inspection(seq, Cause.OK), 6 * MS)
    assert kinds(sequencer) == ["extra_frame", "extra_frame", "extra_inspection"]
    assert sequencer.due(7 * MS) == []


def test_a_second_frame_for_a_part_does_not_replace_the_first() -> None:
    sequencer = ready()
    captured(sequencer)
    assert sequencer.captured(FrameReady(1, 9, 2, 5 * MS), 6 * MS) is None
    assert kinds(sequencer) == ["extra_frame"]
    sequencer.inspected(Inspection(1, Cause.OK), 10 * MS)
    assert only(sequencer.due(10 * MS)).slot == 3


def test_nothing_passes_before_camera_and_inspector_are_ready() -> None:
    sequencer = Sequencer(RULES)
    assert sequencer.open(1, 0, 0) is None
    assert only(sequencer.due(0)).decision.reason == "camera and inspector not ready"
    sequencer.child_ready("camera")
    assert sequencer.open(2, 50 * MS, 50 * MS) is None
    assert outcome(sequencer) == (Verdict.REJECT, Cause.STARTING)
    sequencer.child_ready("inspector")
    assert sequencer.open(3, 90 * MS, 90 * MS) is not None


def test_a_lost_camera_takes_the_parts_without_a_frame() -> None:
    sequencer = ready()
    captured(sequencer, 0)
    sequencer.open(2, 30 * MS, 30 * MS)
    sequencer.child_lost("camera", 35 * MS)
    assert outcome(sequencer) == (Verdict.REJECT, Cause.NO_FRAME)
    sequencer.inspected(Inspection(1, Cause.OK), 40 * MS)
    assert outcome(sequencer) == (Verdict.PASS, Cause.OK)


def test_a_lost_inspector_takes_the_parts_with_a_frame() -> None:
    sequencer = ready()
    captured(sequencer, 0)
    sequencer.open(2, 30 * MS, 30 * MS)
    sequencer.child_lost("inspector", 35 * MS)
    assert outcome(sequencer) == (Verdict.REJECT, Cause.MODEL_ERROR)
    assert sequencer.captured(FrameReady(2, 0, 2, 35 * MS), 36 * MS) is None
    assert outcome(sequencer) == (Verdict.REJECT, Cause.STARTING)
    assert sequencer.in_flight == 0


def test_too_many_parts_in_flight() -> None:
    sequencer = ready()
    orders = [sequencer.open(number, number * 25 * MS, number * 25 * MS) for number in range(1, 6)]
    assert [order is None for order in orders] == [False, False, False, False, True]
    assert outcome(sequencer) == (Verdict.REJECT, Cause.OVERRUN)


def test_a_missed_trigger_is_desync_even_while_starting() -> None:
    sequencer = Sequencer(RULES)
    assert sequencer.open(1, 0, 0, missed=True) is None
    assert outcome(sequencer) == (Verdict.REJECT, Cause.DESYNC)


def test_triggers_too_close_are_reported() -> None:
    sequencer = ready()
    for at_ms in (0, 20, 39):
        sequencer.open(1, at_ms * MS, at_ms * MS)
    (note,) = sequencer.notes()
    assert (note.kind, note.text, note.seq) == ("min_gap", "two triggers 19.0 ms apart", 3)


def test_stopping_decides_what_is_in_flight_in_time() -> None:
    sequencer = ready()
    for at_ms in (0, 25, 50):
        captured(sequencer, at_ms)
    sequencer.stop(until_ns=110 * MS)
    assert sequencer.open(4, 75 * MS, 75 * MS) is None
    assert outcome(sequencer, 75) == (Verdict.REJECT, Cause.STOPPING)
    sequencer.inspected(Inspection(2, Cause.OK), 80 * MS)
    assert outcome(sequencer, 80) == (Verdict.PASS, Cause.OK)
    assert outcome(sequencer, 100) == (Verdict.REJECT, Cause.TIMEOUT)
    assert outcome(sequencer, 110) == (Verdict.REJECT, Cause.STOPPING)
    assert sequencer.in_flight == 0


def test_a_part_that_cannot_be_served_is_refused_once() -> None:
    sequencer = ready()
    captured(sequencer)
    sequencer.refuse(1, Cause.OVERRUN, "the inspector does not read", 10 * MS)
    sequencer.refuse(1, Cause.NO_FRAME, "again", 11 * MS)
    assert outcome(sequencer) == (Verdict.REJECT, Cause.OVERRUN)


def test_decided_up_to_waits_for_the_oldest_part() -> None:
    sequencer = ready()
    assert sequencer.decided_up_to == 0
    for at_ms in (0, 25, 50):
        captured(sequencer, at_ms)
    sequencer.inspected(Inspection(2, Cause.OK), 60 * MS)
    assert sequencer.decided_up_to == 0
    sequencer.inspected(Inspection(1, Cause.OK), 61 * MS)
    assert sequencer.decided_up_to == 2
    sequencer.inspected(Inspection(3, Cause.OK), 62 * MS)
    assert sequencer.decided_up_to == 3
    assert [record.decision.seq for record in sequencer.due(63 * MS)] == [2, 1, 3]


def test_the_record_says_when_it_was_exposed_and_inspected_and_beside_how_many() -> None:
    sequencer = ready()
    captured(sequencer)
    sequencer.inspected(Inspection(1, Cause.OK, batch=3, t_done_ns=40 * MS), 41 * MS)
    record = only(sequencer.due(41 * MS))
    assert (record.t_exposed_ns, record.t_inspected_ns, record.batch) == (5 * MS, 40 * MS, 3)
    captured(sequencer, at_ms=100)
    waited = only(sequencer.due(200 * MS))
    assert (waited.t_exposed_ns, waited.t_inspected_ns, waited.batch) == (105 * MS, 0, 0)
