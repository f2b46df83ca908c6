"""Frames and triggers: whatever is dropped, doubled, reordered or counted anew, no frame goes to another part."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.cameras.counting import GIGE_16_BIT, WIDE, CounterRange, FrameCounting
from linewatch.cameras.matching import Frame, Matching, Miss
from linewatch.core.messages import Cause

MS = 1_000_000
EARLY_MS, LATE_MS, GAP_MS = 5, 30, 50
SMALL = CounterRange(1, 99)


@dataclass(frozen=True)
class Shot:
    """One frame on its way. part: whose picture it is; 0 of nobody's."""

    part: int
    counter: int
    t_ms: int
    arrives_ms: int


def matching(counters: CounterRange = WIDE) -> Matching[int]:
    return Matching(counters, EARLY_MS * MS, LATE_MS * MS, by_time=True)


def play(shots: list[Shot], parts: dict[int, int], found: Matching[int]) -> dict[int, int | Cause]:
    """What each part of `parts` (seq: time of its trigger, ms) gets: the part that its frame shows, or the cause."""
    coming = sorted(shots, key=lambda shot: shot.arrives_ms)
    answers: dict[int, int | Cause] = {}
    for seq, t_ms in parts.items():
        for now_ms in range(t_ms, t_ms + 121, 5):
            while coming and coming[0].arrives_ms <= now_ms:
                shot = coming.pop(0)
                found.arrived(shot.counter, shot.t_ms * MS, shot.part)
            answer = found.claim(seq, t_ms * MS, final=now_ms == t_ms + 120)
            if answer is not None:
                answers[seq] = answer.content if isinstance(answer, Frame) else answer.cause
                break
    return answers


def line(count: int, *, start: int = 7, counters: CounterRange = WIDE) -> tuple[dict[int, int], list[Shot]]:
    """`count` parts and their faultless frames."""
    parts = {seq: seq * 60 for seq in range(1, count + 1)}
    span = counters.last - counters.first + 1
    numbers = [counters.first + (start + seq - counters.first) % span for seq in parts]
    return parts, [Shot(seq, n, t + 2, t + 40) for (seq, t), n in zip(parts.items(), numbers, strict=True)]


def test_all_but_the_part_that_ties_the_counter_get_their_frames() -> None:
    parts, shots = line(6)
    assert play(shots, parts, matching()) == {1: Cause.NO_FRAME, **{seq: seq for seq in range(2, 7)}}


def test_the_counter_wraps() -> None:
    parts, shots = line(6, start=65_531, counters=GIGE_16_BIT)
    assert [shot.counter for shot in shots][3:] == [65_535, 1, 2]
    assert list(play(shots, parts, matching(GIGE_16_BIT)).values())[1:] == [2, 3, 4, 5, 6]


def test_a_frame_that_the_network_lost_is_missing_for_its_part_alone() -> None:
    parts, shots = line(6)
    del shots[3]
    assert list(play(shots, parts, matching()).values())[1:] == [2, 3, Cause.NO_FRAME, 5, 6]


def test_a_pulse_that_the_camera_missed_costs_its_part_and_the_one_that_ties_anew() -> None:
    parts, shots = line(7)
    shots = shots[:3] + [replace(shot, counter=shot.counter - 1) for shot in shots[4:]]
    answers = list(play(shots, parts, matching()).values())
    assert answers[1:] == [2, 3, Cause.NO_FRAME, Cause.NO_FRAME, 6, 7]


def test_an_extra_frame_is_told_and_the_part_in_doubt_is_rejected() -> None:
    parts, shots = line(7)
    extra = Shot(0, shots[3].counter, shots[3].t_ms - 20, shots[3].t_ms - 10)
    shots = [*shots[:3], extra, *(replace(shot, counter=shot.counter + 1) for shot in shots[3:])]
    found = matching()
    answers = list(play(shots, parts, found).values())
    assert answers[1:] == [2, 3, Cause.EXTRA_FRAME, 5, 6, 7]
    assert [note.kind for note in found.notes()] == ["extra_frame"]


def test_frames_of_parts_that_nobody_asks_for_are_no_extra_frames() -> None:
    parts, shots = line(6)
    del parts[3], parts[4]
    found = matching()
    assert play(shots, parts, found) == {1: Cause.NO_FRAME, 2: 2, 5: 5, 6: 6}
    assert found.notes() == []


def test_a_frame_that_comes_twice_is_told_once() -> None:
    parts, shots = line(4)
    found = matching()
    assert list(play([*shots, shots[2]], parts, found).values())[1:] == [2, 3, 4]
    assert "twice" in found.notes()[0].text


def test_a_camera_that_counts_anew_is_followed() -> None:
    parts, shots = line(8, start=500)
    shots = shots[:4] + [replace(shot, counter=number) for number, shot in enumerate(shots[4:])]
    assert list(play(shots, parts, matching()).values())[1:] == [2, 3, 4, Cause.NO_FRAME, 6, 7, 8]


def test_two_frames_in_one_window_tie_nothing() -> None:
    found = matching()
    for counter in (1, 2):
        found.arrived(counter, counter * MS, counter)
    assert isinstance(found.claim(1, 0, final=True), Miss)
    assert not found.tied


def test_triggers_closer_than_the_window_are_in_doubt() -> None:
    parts, shots = line(3)
    parts[4] = parts[3] + LATE_MS
    shots.append(Shot(4, shots[-1].counter + 1, parts[4] + 1, parts[4] + 40))
    assert play(shots, parts, matching())[4] is Cause.EXTRA_FRAME


def test_by_command_only_the_tie_counts() -> None:
    found: Matching[str] = Matching(GIGE_16_BIT, 0, 100 * MS, by_time=False)
    found.arrived(12, 5 * MS, "stray")
    assert isinstance(found.claim(1, 0, final=True), Miss)
    assert not found.tied and found.tie(2) is None
    found.arrived(13, 200 * MS, "test")
    assert found.tie(2) == "test" and found.tied
    found.arrived(14, 300 * MS, "picture")
    answer = found.claim(3, 290 * MS, final=False)
    assert isinstance(answer, Frame) and answer.content == "picture"


def test_a_frame_that_comes_after_its_time_is_not_the_next_command_s() -> None:
    found: Matching[str] = Matching(WIDE, 0, 100 * MS, by_time=False)
    found.arrived(1, 0, "test")
    found.tie(0)
    assert isinstance(found.claim(1, 10 * MS, final=True), Miss)
    found.arrived(2, 150 * MS, "late")
    assert found.claim(2, 140 * MS, final=False) is None
    found.arrived(3, 160 * MS, "right")
    answer = found.claim(2, 140 * MS, final=False)
    assert isinstance(answer, Frame) and answer.content == "right"


@pytest.mark.parametrize("steps", [[1, 2, 4, 3], [98, 99, 1, 2], [1, 99, 3], [99, 1, 99, 2]])
def test_counters_near_each_other_keep_their_order(steps: list[int]) -> None:
    counting = FrameCounting(SMALL)
    unwrapped = [counting.unwrap(step) for step in steps]
    assert all(
        value is not None and value % 99 == (step - 1) % 99 for value, step in zip(unwrapped, steps, strict=True)
    )
    assert max(value for value in unwrapped if value is not None) - min(v for v in unwrapped if v is not None) < 10


FAULTS = st.sampled_from(
    ["fine"] * 6 + ["missed", "lost", "twice", "late", "extra before", "extra inside", "restart", "unasked", "stamp"]
)


@dataclass
class Faulty:
    """A line with faults: what the camera exposed, which parts were asked for, and what went wrong with each."""

    parts: dict[int, int]
    shots: list[Shot]
    faults: list[str]


@st.composite
def faulty_lines(draw: st.DrawFn) -> Faulty:
    """Parts with faults at will, then five faultless ones."""
    faults = [*draw(st.lists(FAULTS, max_size=14)), *["fine"] * 5]
    made = Faulty({}, [], faults)
    counter, t_ms = draw(st.integers(1, 99)), 0
    for seq, fault in enumerate(faults, 1):
        t_ms += draw(st.integers(GAP_MS, 400))
        if fault != "unasked":
            made.parts[seq] = t_ms
        if fault == "restart":
            counter = draw(st.integers(1, 99))
        exposed_ms = t_ms + draw(st.integers(-EARLY_MS + 1, LATE_MS - 2))
        extra_ms = {"extra before": t_ms - EARLY_MS - 3, "extra inside": exposed_ms - 1}.get(fault)
        if extra_ms is not None:
            part = seq if fault == "extra inside" else 0
            made.shots.append(Shot(part, counter, extra_ms, extra_ms + 40))
            counter = counter % 99 + 1
        if fault == "missed":
            continue
        if fault == "stamp" and faults[seq - 2] != "stamp":  # a clock that is wrong once, by some parts
            exposed_ms += draw(st.integers(GAP_MS, 500))
        if fault != "lost":
            delay_ms = (
                draw(st.integers(100, 300)) if fault == "late" else draw(st.integers(1, GAP_MS - LATE_MS - EARLY_MS))
            )
            shot = Shot(seq, counter, exposed_ms, exposed_ms + delay_ms)
            made.shots += [shot, shot] if fault == "twice" else [shot]
        counter = counter % 99 + 1
    return made


@given(faulty_lines())
def test_no_frame_ever_goes_to_another_part(faulty: Faulty) -> None:
    answers = play(faulty.shots, faulty.parts, matching(SMALL))
    assert set(answers) == set(faulty.parts)
    for seq, answer in answers.items():
        assert answer in (seq, Cause.NO_FRAME, Cause.EXTRA_FRAME)


@given(faulty_lines())
def test_after_the_faults_parts_get_their_frames_again(faulty: Faulty) -> None:
    answers = play(faulty.shots, faulty.parts, matching(SMALL))
    assert list(answers.values())[-2:] == list(answers)[-2:]
