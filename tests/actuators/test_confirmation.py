"""A sensor behind the rejecter: every blow is confirmed by one count, or told to be missing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from linewatch.actuators.confirmation import WRAP, Confirmation
from linewatch.core.messages import Cause, Decision, Verdict
from linewatch.core.wire import WireDecision, wire_decision

MS = 1_000_000


def blow(seq: int) -> WireDecision:
    return wire_decision(Decision("t1", "r", seq, Verdict.REJECT, Cause.DEFECT, 0, 1, 2, 500.0), "m", "r")


@settings(deadline=None)
@given(st.integers(0, WRAP - 1), st.lists(st.booleans(), max_size=30))
def test_each_blow_is_settled_once_and_as_many_are_missing_as_did_not_leave(first: int, leave: list[bool]) -> None:
    confirmation, told, count = Confirmation(100), [], first
    confirmation.settled(first, 0)
    for number, leaves in enumerate(leave):
        now_ns = number * 300 * MS
        confirmation.blown(blow(number + 1), now_ns)
        count += leaves
        told += confirmation.settled(count % WRAP, now_ns + 50 * MS)
        told += confirmation.settled(count % WRAP, now_ns + 100 * MS)
    assert [(one.seq, confirmed) for one, confirmed in told] == list(enumerate(leave, start=1))
    assert confirmation.unconfirmed == leave.count(False)


def test_neighbours_that_leave_together_are_both_confirmed_and_strays_confirm_nothing() -> None:
    confirmation = Confirmation(100)
    confirmation.settled(7, 0)
    assert confirmation.settled(9, 1) == []  # two parts while everything was rejected
    confirmation.blown(blow(1), 10)
    confirmation.blown(blow(2), 20)
    assert [(one.seq, seen) for one, seen in confirmation.settled(11, 30)] == [(1, True), (2, True)]
    confirmation.blown(blow(3), 40)
    assert [(one.seq, seen) for one, seen in confirmation.settled(11, 40 + 100 * MS)] == [(3, False)]


def test_a_sensor_that_says_nothing_confirms_nothing() -> None:
    confirmation = Confirmation(100)
    confirmation.blown(blow(1), 0)
    assert confirmation.settled(None, 99 * MS) == []
    assert [seen for _, seen in confirmation.settled(None, 100 * MS)] == [False]


def test_without_a_sensor_nothing_is_waited_for() -> None:
    confirmation = Confirmation(None)
    confirmation.blown(blow(1), 0)
    assert confirmation.settled(None, 10**12) == []
