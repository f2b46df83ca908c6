"""Shifts by the clock on the wall: nights, the days on which the clock is changed, and what a station file may say."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from linewatch.core.shifts import Shifts

BERLIN = Shifts(time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("now", "name", "begin"),
    [
        ("2026-11-22T05:59+01:00", "night", "2026-11-21T21:00Z"),
        ("2026-11-22T06:00+01:00", "early", "2026-11-22T05:00Z"),
        ("2026-11-22T13:59+01:00", "early", "2026-11-22T05:00Z"),
        ("2026-11-22T23:30+01:00", "night", "2026-11-22T21:00Z"),
        ("2026-10-25T05:30+01:00", "night", "2026-10-24T20:00Z"),
        ("2026-03-29T05:30+02:00", "night", "2026-03-28T21:00Z"),
    ],
)
def test_the_present_shift_began_by_the_local_clock_also_before_midnight(now: str, name: str, begin: str) -> None:
    found = BERLIN.current(datetime.fromisoformat(now))
    assert (found.name, found.begin) == (name, datetime.fromisoformat(begin))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-11-23", 8)])
def test_a_night_is_as_long_as_the_clock_makes_it_and_says_so(day: str, hours: int) -> None:
    night = BERLIN.on(date.fromisoformat(day), "night")
    assert (night.end - night.begin).total_seconds() == hours * 3600
    assert str(night).endswith(f"Europe/Berlin, {hours} h")
    assert str(night.day) == day


def test_both_ends_say_their_distance_from_utc() -> None:
    assert str(BERLIN.on(date(2026, 10, 24), "night")).startswith(
        "2026-10-24 22:00 (UTC+02:00) to 2026-10-25 06:00 (UTC+01:00)"
    )


def test_the_shifts_of_a_day_follow_each_other_without_gap_or_overlap() -> None:
    shift = BERLIN.current(datetime(2026, 10, 27, tzinfo=UTC))
    for _ in range(10):
        before = BERLIN.before(shift)
        assert before.end == shift.begin
        shift = before


def test_a_time_that_the_clock_leaves_out_or_shows_twice_is_one_time() -> None:
    shifts = Shifts(time_zone="Europe/Berlin", starts={"a": "02:30", "b": "14:00"})
    assert shifts.on(date(2026, 3, 29), "a").begin == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert shifts.on(date(2026, 10, 25), "a").begin == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Europe/Atlantis"}, {"time_zone": "../../etc/passwd"}, {"time_zone": "Europe"}, {"time_zone": ""},
        {"starts": {}}, {"starts": {"a": "6:00"}}, {"starts": {"a": "24:00"}}, {"starts": {"a/b": "06:00"}},
        {"starts": {"a": "06:00", "b": "06:00"}},
    ],
)  # fmt: skip
def test_wrong_shifts_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Shifts.model_validate(wrong)


def test_without_a_name_the_machine_s_own_clock_counts() -> None:
    now = datetime.now(UTC)
    assert now.astimezone(Shifts().zone).utcoffset() == now.astimezone().utcoffset()
