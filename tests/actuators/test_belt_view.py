"""When a tracked part is blown off: where it is, whatever the belt does on the way."""

from bisect import bisect_right
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linewatch.actuators.belt import HORIZON_NS, BeltView
from linewatch.actuators.schedule import Schedule
from linewatch.core.messages import Cause, Decision, Tracking, Verdict
from linewatch.core.wire import Belt, WireDecision, wire_decision

MS = 1_000_000
FULL = 10  # counts a ms
REACTION_MS = 20.0
BLOW_AT = 5000


def tracked(seq: int, blow_count: int = BLOW_AT, run: str = "run-1") -> WireDecision:
    tracking = Tracking(blow_count - BLOW_AT, blow_count, REACTION_MS)
    delay_ms = BLOW_AT / FULL - REACTION_MS
    made = Decision("t1", run, seq, Verdict.REJECT, Cause.DEFECT, 0, 1, 2, delay_ms, tracking=tracking)
    return wire_decision(made, "m", "r")


def reading(count: float, t_ms: float, trouble: str = "") -> Belt:
    return Belt(v=1, station="t1", run="run-1", count=int(count), t_ns=round(t_ms * MS), trouble=trouble)


def blown_at(speeds: list[tuple[int, float]], late_ms: list[int]) -> tuple[int | None, float, list[float]]:
    """Run a belt of (ms, share of full speed); when the order came, how late it said it was, and the belt's places.

    late_ms: how late the host read each count, over and over.
    """
    places = list(accumulate((FULL * speed for length_ms, speed in speeds for _ in range(length_ms)), initial=0.0))
    arrivals = [(taken + late_ms[number % len(late_ms)], places[taken])
                for number, taken in enumerate(range(0, len(places), 20))]  # fmt: skip
    schedule, belt = Schedule(), BeltView()
    schedule.add(tracked(1))
    for t_ms in range(len(places)):
        for at_ms, count in arrivals:
            if at_ms == t_ms:
                belt.heard(reading(count, at_ms))
        due = schedule.due(t_ms * MS, belt)
        if due:
            return t_ms, due[0][1], places
    return None, 0.0, places


SPEEDS = st.lists(st.tuples(st.integers(20, 400), st.sampled_from([0.0, 0.0, 0.1, 0.5, 0.8, 1.0])), max_size=12)


@settings(deadline=None, max_examples=50)
@given(SPEEDS, st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_the_blow_hits_the_part_wherever_the_belt_stops_and_starts(
    speeds: list[tuple[int, float]], late_ms: list[int]
) -> None:
    at_ms, said_late_ms, places = blown_at([*speeds, (100, speeds[-1][1] if speeds else 1.0)], late_ms)
    if at_ms is None:
        assert places[-1] < BLOW_AT + 50 * FULL
        return
    hit = places[min(at_ms + int(REACTION_MS), len(places) - 1)]
    assert BLOW_AT - 75 * FULL <= hit <= BLOW_AT + 50 * FULL
    assert said_late_ms <= 50


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([0.25, 0.5, 0.75, 1.0]), st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_at_any_steady_speed_the_order_comes_its_reaction_time_ahead(speed: float, late_ms: list[int]) -> None:
    at_ms, _, places = blown_at([(int(700 / speed), speed)], late_ms)
    assert at_ms is not None
    arrives_ms = bisect_right(places, BLOW_AT)
    assert at_ms == pytest.approx(arrives_ms - REACTION_MS, abs=8)


def test_a_belt_that_stands_is_waited_for() -> None:
    stops = [(400, 1.0), (5000, 0.0), (150, 1.0)]
    at_ms, _, _ = blown_at(stops, [0])
    assert at_ms is not None
    assert 5460 <= at_ms <= 5500
    assert blown_at(stops[:2], [0])[0] is None


def test_a_decision_that_comes_when_the_part_is_gone_says_how_late() -> None:
    schedule, belt = Schedule(), BeltView()
    for t_ms in range(0, 1000, 20):
        belt.heard(reading(t_ms * FULL, t_ms))
    schedule.add(tracked(1))
    ((_, late_ms),) = schedule.due(980 * MS, belt)
    assert late_ms == pytest.approx(980 - 500 + REACTION_MS, abs=1)


def test_without_the_belt_nothing_can_be_placed() -> None:
    belt = BeltView()
    assert belt.trouble(0) == ""
    belt.expect()
    assert belt.trouble(0) == "the line has not said where the belt is"
    belt.heard(reading(0, 0))
    assert belt.trouble(HORIZON_NS) == ""
    assert belt.trouble(HORIZON_NS + 1) == "where the belt is was last said too long ago"
    belt.heard(reading(0, 300, "the encoder is silent"))
    assert belt.trouble(300 * MS) == "the encoder is silent"


def test_a_new_run_forgets_what_the_last_one_tracked() -> None:
    schedule, belt = Schedule(), BeltView()
    schedule.add(tracked(1, 100))
    schedule.add(tracked(1, 200, run="run-2"))
    schedule.start_run("run-2")
    belt.heard(reading(1000, 0))
    assert [(one.run, one.seq) for one, _ in schedule.due(0, belt)] == [("run-2", 1)]
