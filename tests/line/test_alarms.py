"""Alarms: said once when they begin and once when they are over, and by the running line."""

from collections.abc import Callable, Iterable
from typing import Any

from linewatch.core.messages import Cause, Decision, Verdict
from linewatch.core.station import Alarms as Limits
from linewatch.line.alarms import HOUR_NS, Alarms

NONE: dict[str, Any] = {
    "consecutive_rejects": None, "reject_rate": None, "failsafe_rate": None, "no_reject_hours": None,
    "unconfirmed_ejections": None,
}  # fmt: skip
K, D, T, S = Cause.OK, Cause.DEFECT, Cause.TIMEOUT, Cause.STARTING


def told(limits: dict[str, Any], causes: Iterable[Cause]) -> list[tuple[int, str, str]]:
    """(seq, kind, text) of every note after parts with these causes, the first being part 1."""
    alarms = Alarms(Limits(**{**NONE, **limits}), 0)
    found = []
    for seq, cause in enumerate(causes, start=1):
        verdict = Verdict.PASS if cause is Cause.OK else Verdict.REJECT
        alarms.decided(Decision("t1", "run-1", seq, verdict, cause, seq, seq, seq + 100, 300.0))
        found += [(seq, note.kind, note.text) for note in alarms.notes()]
    return found


def test_rejects_in_a_row_alarm_once_until_a_part_passes() -> None:
    assert told({"consecutive_rejects": 3}, [D, D, K, D, T, D, D, K, D]) == [
        (6, "alarm", "consecutive_rejects: 3 parts in a row were rejected"),
        (8, "alarm_over", "consecutive_rejects"),
    ]


def test_a_rate_alarms_above_its_limit_and_ends_well_below() -> None:
    limits = {"reject_rate": 0.5, "reject_rate_parts": 10}
    assert told(limits, [D] * 5 + [K] * 5) == []
    found = told(limits, [D] * 6 + [K] * 7)
    assert found == [
        (6, "alarm", "reject_rate: 6 of the last 6 parts, limit 50.0%"),
        (12, "alarm_over", "reject_rate"),
    ]


def test_only_rejects_in_doubt_count_for_the_failsafe_rate() -> None:
    limits = {"failsafe_rate": 0.1, "failsafe_rate_parts": 10}
    assert told(limits, [D] * 30) == []
    assert [kind for _, kind, _ in told(limits, [K, T, K, K, T])] == ["alarm"]


def test_start_and_stop_alarm_nobody() -> None:
    limits = {"consecutive_rejects": 2, "failsafe_rate": 0.01, "reject_rate": 0.01}
    assert told(limits, [S] * 100 + [K] + [Cause.STOPPING] * 100) == []
    assert told(limits, [S, K, S, S]) != []  # a child that had to be restarted is another matter


def test_a_line_that_rejects_nothing_for_hours_is_suspect() -> None:
    alarms = Alarms(Limits(**{**NONE, "no_reject_hours": 2}), 0)
    alarms.tick(2 * HOUR_NS - 1)
    assert alarms.notes() == []
    alarms.tick(2 * HOUR_NS)
    alarms.tick(2 * HOUR_NS + 1)
    assert [note.kind for note in alarms.notes()] == ["alarm"]
    alarms.decided(Decision("t1", "run-1", 1, Verdict.REJECT, Cause.DEFECT, 0, 3 * HOUR_NS, 0, 300.0))
    alarms.tick(3 * HOUR_NS + 1)
    assert [note.kind for note in alarms.notes()] == ["alarm_over"]


def test_ejections_that_no_sensor_saw_alarm_until_one_is_seen() -> None:
    alarms = Alarms(Limits(**{**NONE, "unconfirmed_ejections": 2}), 0)
    found = []
    for seq, confirmed in enumerate([False, True, False, False, False, True, True], start=1):
        alarms.ejected(seq, confirmed=confirmed)
        found += [(note.seq, note.kind, note.text) for note in alarms.notes()]
    assert found == [
        (4, "alarm", "unconfirmed_ejections: 2 rejected parts in a row were not seen to leave"),
        (6, "alarm_over", "unconfirmed_ejections"),
    ]


def test_the_running_line_says_it(line: Any, wait: Callable[..., bool]) -> None:
    line.write_station(alarms={"reject_rate": 0.15, "reject_rate_parts": 20})  # every fifth part has a defect
    line.start()
    line.gate.run(1200, count=25)
    assert wait(lambda: line.observer.events("alarm"))
    assert line.observer.events("alarm")[0]["text"].startswith("reject_rate: ")
