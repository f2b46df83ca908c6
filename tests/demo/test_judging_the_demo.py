"""Verdicts and boxes against truth, and the figures that the demo derives."""

import pytest

from linewatch.core.messages import Cause, Verdict
from linewatch.demo.accounting import Entry
from linewatch.demo.boxes import Box, BoxTally, overlap, tally_boxes, true_boxes
from linewatch.demo.figures import Latency, Speed, deadline_for, latency, pace_for
from linewatch.demo.truth import ClassTally, judge

GOOD: frozenset[str] = frozenset()


def outcomes(*causes: Cause) -> dict[int, Entry]:
    return {
        seq: Entry(seq, Verdict.PASS if cause is Cause.OK else Verdict.REJECT, cause)
        for seq, cause in enumerate(causes, start=1)
    }


def test_only_a_passed_defect_escapes_and_only_a_rejected_good_part_is_a_false_reject() -> None:
    answers = outcomes(Cause.OK, Cause.OK, Cause.DEFECT, Cause.DEFECT, Cause.TIMEOUT, Cause.TIMEOUT)
    crack = frozenset({"crack"})
    found = judge(answers, {1: GOOD, 2: crack, 3: GOOD, 4: crack, 5: GOOD, 6: crack})
    assert (found.escapes, found.false_rejects, found.defective) == ((2,), (3,), 3)
    assert found.per_class == {"crack": ClassTally(parts=3, rejected=1, failsafe=1, escaped=1)}


def test_a_part_with_two_classes_counts_for_each() -> None:
    found = judge(outcomes(Cause.OK), {1: frozenset({"crack", "dirt"})})
    assert found.escapes == (1,)
    assert {name: tally.escaped for name, tally in found.per_class.items()} == {"crack": 1, "dirt": 1}


def test_parts_without_an_answer_are_not_judged() -> None:
    assert judge(outcomes(Cause.OK), {1: GOOD, 2: frozenset({"crack"})}).defective == 0


CRACK = Box("crack", 10, 10, 20, 4)


def test_a_box_in_place_is_found_and_one_of_another_class_misnamed() -> None:
    same = Box("crack", 11, 10, 20, 4)
    named_dirt = Box("dirt", 11, 10, 20, 4)
    away = Box("crack", 100, 100, 20, 4)
    parts = [((CRACK,), (same, named_dirt)), ((CRACK,), (named_dirt,)), ((CRACK,), (away,)), ((), (away,))]
    assert tally_boxes(parts) == {"crack": BoxTally(defects=3, found=1, misnamed=1)}


def test_overlap_is_the_shared_share() -> None:
    assert overlap(CRACK, CRACK) == 1
    assert overlap(Box("a", 0, 0, 2, 2), Box("a", 1, 0, 2, 2)) == pytest.approx(1 / 3)
    assert overlap(Box("a", 0, 0, 2, 2), Box("a", 2, 0, 2, 2)) == 0


def test_the_truth_of_a_part_is_that_of_the_bottle_before_its_number() -> None:
    from linewatch.sim.render import render
    from linewatch.sim.scene import describe

    shown = render(describe(5, 9, 1.0), 224).truth
    assert shown
    assert true_boxes(5, 1.0, 224, seq=10) == [Box(t.name, t.x, t.y, t.w, t.h) for t in shown]


@pytest.mark.parametrize(
    ("part_ms", "pace", "deadline_ms"),
    [(135.0, 310, 680), (140.0, 300, 700), (9.0, 1200, 100), (20.0, 1200, 100), (2000.0, 30, 10_000)],
)
def test_pace_and_deadline_follow_what_a_part_takes(part_ms: float, pace: int, deadline_ms: int) -> None:
    speed = Speed(20, part_ms)
    assert (pace_for(speed), deadline_for(speed)) == (pace, deadline_ms)


def test_latency_is_taken_from_the_values_themselves() -> None:
    assert latency([float(value) for value in range(200, 0, -1)]) == Latency(100.0, 198.0, 200.0)
    assert latency([3.0]) == Latency(3.0, 3.0, 3.0)
    assert latency([]) == Latency(0.0, 0.0, 0.0)
