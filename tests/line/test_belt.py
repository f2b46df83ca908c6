"""The line's belt: one count since the run began, and doubt until everything on it has passed the rejecter."""

from hypothesis import given
from hypothesis import strategies as st

from linewatch.line.belt import SILENCE_NS, Belt
from linewatch.triggers.protocol import COUNTERS

MS = 1_000_000
TRAVEL, TRANSPORT_MS = 5000, 500.0  # full speed: 10 counts a ms
STEPS = st.lists(st.integers(0, 200), min_size=1, max_size=60)  # counts in 20 ms, 200 at full speed
WIGGLE = 100  # counts of 10 ms at full speed
RAW = st.integers(0, COUNTERS - 1)


def belt(occupied: bool = False) -> Belt:
    return Belt(TRAVEL, TRANSPORT_MS, 0, occupied=occupied)


def kinds(made: Belt, raws: list[int], from_ns: int = 20 * MS, every_ns: int = 20 * MS) -> list[str]:
    """Report `raws` at a pace; the kinds of all notes."""
    return [
        note.kind for number, raw in enumerate(raws) for note in made.moved(raw % COUNTERS, from_ns + number * every_ns)
    ]


@given(RAW, STEPS)
def test_counts_add_up_from_anywhere_and_across_the_wrap(first: int, steps: list[int]) -> None:
    made, raw = belt(), first
    assert kinds(made, [first]) == []
    for number, step in enumerate(steps, start=2):
        raw += step
        assert made.moved(raw % COUNTERS, number * 20 * MS) == []
    assert (made.count, made.trouble) == (sum(steps), "")


@given(STEPS, st.lists(st.integers(0, 1300), min_size=2, max_size=20))
def test_places_in_the_past_lie_between_the_readings(steps: list[int], times_ms: list[int]) -> None:
    made, raws = belt(), [0]
    for step in steps:
        raws.append(raws[-1] + step)
    kinds(made, raws)
    places = [made.at(t_ms * MS) for t_ms in sorted(times_ms)]
    assert places == sorted(places)
    assert all(0 <= place <= made.count for place in places)
    for number, raw in enumerate(raws):
        assert made.at((number + 1) * 20 * MS) == raw
        assert raw <= made.at((number + 1) * 20 * MS + 7 * MS) <= made.count


@given(st.integers(WIGGLE + 1, COUNTERS // 2 - 1), STEPS)
def test_a_count_that_falls_is_doubt_until_everything_has_passed(back: int, steps: list[int]) -> None:
    made = belt()
    kinds(made, [0, 100])
    assert kinds(made, [100 - back], from_ns=60 * MS) == ["encoder_backwards"]
    assert (made.count, made.trouble) == (100, "the encoder counted backwards")
    raw, told = 100 - back, []
    for number, step in enumerate(steps):
        raw += step
        told += [note.kind for note in made.moved(raw % COUNTERS, (80 + 20 * number) * MS)]
        assert bool(made.trouble) == (made.count < 100 + TRAVEL)
    assert told == ["belt_clear"] * (sum(steps) >= TRAVEL)


@given(st.lists(st.integers(-WIGGLE, WIGGLE), max_size=30))
def test_an_encoder_that_wiggles_where_it_stands_is_no_doubt_and_never_falls(shakes: list[int]) -> None:
    made = belt()
    kinds(made, [0, 100])
    counts = []
    for number, shake in enumerate(shakes):
        assert made.moved((100 + min(0, shake)) % COUNTERS, (60 + 20 * number) * MS) == []
        counts.append(made.count)
    assert counts == [100] * len(shakes)
    assert kinds(made, [300], from_ns=(60 + 20 * len(shakes)) * MS) == []
    assert made.count == 300


def test_a_coarse_encoder_may_wiggle_by_one_count() -> None:
    made = Belt(5, 500.0, 0, occupied=False)
    assert kinds(made, [7, 6, 7, 8, 7]) == []
    assert (made.count, made.trouble) == (1, "")
    assert kinds(made, [6], from_ns=120 * MS) == ["encoder_backwards"]


def test_a_part_that_was_counted_just_before_the_last_report_is_placed_before_it() -> None:
    made = belt()
    kinds(made, [0, 200, 400])
    assert made.latched(350) == 350
    assert made.latched(400) == 400
    assert made.latched(450) is None
    assert (made.latched(COUNTERS - 600), made.latched(COUNTERS - 601)) == (0, None)


def test_a_silent_encoder_is_doubt_until_everything_has_passed() -> None:
    made = belt()
    kinds(made, [0, 100])
    assert made.tick(40 * MS + SILENCE_NS) == []
    assert [note.kind for note in made.tick(41 * MS + SILENCE_NS)] == ["encoder_silent"]
    assert made.tick(900 * MS) == []
    assert made.trouble == "the encoder is silent"
    assert kinds(made, [300], from_ns=1000 * MS) == []
    assert (made.count, made.trouble) == (300, "the encoder was silent")
    raws = list(range(500, 300 + TRAVEL + 200, 200))
    assert kinds(made, raws, from_ns=1020 * MS) == ["belt_clear"]


def test_a_gap_that_the_loop_slept_through_is_silence_as_well() -> None:
    made = belt()
    kinds(made, [0])
    assert kinds(made, [100], from_ns=1000 * MS) == ["encoder_silent"]
    assert made.trouble == "the encoder was silent"


def test_a_belt_faster_than_full_speed_is_doubt_and_said_once() -> None:
    made = belt()
    assert kinds(made, list(range(0, 60_000, 300))).count("belt_too_fast") == 1
    assert made.trouble == "the belt was faster than full speed"
    assert kinds(belt(), list(range(0, 60_000, 210))) == []
    assert kinds(belt(), [0, 1_000_000]) == ["belt_too_fast"]


def test_counts_that_came_late_together_are_no_fast_belt() -> None:
    made = belt()
    kinds(made, [0, 200, 400])
    assert kinds(made, list(range(600, 2400, 200)), from_ns=280 * MS, every_ns=1) == []


def test_a_belt_that_carries_parts_of_the_run_before_is_doubt_until_they_have_passed() -> None:
    made = belt(occupied=True)
    assert kinds(made, list(range(0, TRAVEL, 200))) == []
    assert made.trouble == "parts of the run before are on the belt"
    assert kinds(made, [TRAVEL], from_ns=520 * MS) == ["belt_clear"]
