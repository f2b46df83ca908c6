"""What the gate's counter says about parts whose message was lost."""

from hypothesis import given
from hypothesis import strategies as st

from linewatch.triggers.counting import MAX_MISSED, Counting
from linewatch.triggers.protocol import COUNTERS


@given(st.integers(0, COUNTERS - 1), st.lists(st.integers(0, MAX_MISSED), max_size=30))
def test_every_part_is_found_or_reported_missed_across_the_wrap(first: int, losses: list[int]) -> None:
    counting, seen, counter = Counting(), [first], first
    assert counting.step(first).kind == "next"
    for lost in losses:
        counter = (counter + lost + 1) % COUNTERS
        step = counting.step(counter)
        assert step.kind == ("gap" if lost else "next")
        seen += [*step.missed, counter]
    assert seen == [(first + number) % COUNTERS for number in range(len(seen))]


def test_duplicate_backwards_and_jump() -> None:
    counting = Counting()
    counting.step(1000)
    assert counting.step(1000).kind == "duplicate"
    assert counting.step(3).kind == "backwards"
    assert counting.step(4).kind == "next"
    assert counting.step(4 + MAX_MISSED + 2).kind == "jump"
    assert counting.step(4 + MAX_MISSED + 3).kind == "next"


def test_a_part_given_up_is_not_missed_again() -> None:
    counting = Counting()
    counting.step(10)
    assert counting.give_up() == 11
    assert counting.step(13).missed == (12,)
    assert counting.give_up() == 14
    assert counting.step(14).kind == "next"  # the damaged message was no part after all
    assert counting.step(15).kind == "next"
