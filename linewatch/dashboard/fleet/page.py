"""The fleet's page as it is at this moment, worst station first."""

import time
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from linewatch.core.version import version
from linewatch.dashboard.fleet.reading import Reading
from linewatch.dashboard.fleet.trouble import OTHER_VERSION
from linewatch.dashboard.fleet.watching import Watched
from linewatch.dashboard.views import Rate, Tone

_RUNNING, _NOT_YET = "RUNNING", ("STARTING", "WAITING")
_RANK: dict[Tone, int] = {"bad": 0, "reject": 1, "doubt": 2, "unknown": 2, "good": 3}
_MODEL_DIGITS = 12


class StationView(msgspec.Struct, frozen=True):
    """One station. tone: good, reject (an alarm is on), doubt or bad. since: HH:MM:SS of a trouble, `since_s` ago.

    itself: the name that it gives itself. What is not known now is none; model, recipe, version are the last known.
    """

    name: str
    itself: str
    url: str
    tone: Tone
    word: str
    detail: str
    since: str
    since_s: float | None
    verdict: str
    verdict_tone: Tone
    verdict_s: float | None
    per_minute: float | None
    reject_rate: Rate | None
    failsafe_rate: Rate | None
    passed: int | None
    defects: int | None
    doubts: int | None
    alarms: tuple[str, ...]
    model: str
    sha256: str
    recipe: str
    version: str


class FleetPage(msgspec.Struct, frozen=True):
    """well: how many of `stations` run without an alarm."""

    well: int
    stations: tuple[StationView, ...]


def page_of(all_watched: Sequence[Watched]) -> FleetPage:
    """By trouble: not known or down, then with an alarm, then starting, then well; in the list's order within."""
    stations = sorted((_view(watched) for watched in all_watched), key=lambda station: _RANK[station.tone])
    return FleetPage(sum(station.tone == "good" for station in stations), tuple(stations))


def _view(watched: Watched) -> StationView:
    reading, trouble = watched.reading, watched.trouble
    itself = reading.station if reading else ""
    place = urlsplit(watched.listed.url).netloc
    known = StationView(
        name=watched.listed.name or itself or place,
        itself=itself,
        url=watched.listed.url,
        tone="bad",
        word=trouble.word if trouble else "",
        detail=f"{trouble.detail} ({place})" if trouble else "",
        since=f"{watched.since:%H:%M:%S}" if trouble else "",
        since_s=round(time.monotonic() - watched.since_at, 1) if trouble else None,
        verdict="",
        verdict_tone="unknown",
        verdict_s=None,
        per_minute=None,
        reject_rate=None,
        failsafe_rate=None,
        passed=None,
        defects=None,
        doubts=None,
        alarms=(),
        model=reading.model if reading else "",
        sha256=reading.sha256[:_MODEL_DIGITS] if reading else "",
        recipe=reading.recipe if reading else "",
        version=reading.version if reading else "",
    )
    if trouble is not None:
        return msgspec.structs.replace(known, tone="doubt") if trouble.word == OTHER_VERSION else known
    assert reading is not None
    return _with_reading(known, reading, time.monotonic() - watched.read_at)


def _with_reading(known: StationView, reading: Reading, ago_s: float) -> StationView:
    other = reading.version != version()
    return msgspec.structs.replace(
        known,
        tone=_tone(reading),
        word=reading.state or "NOT KNOWN",
        detail=f"it is linewatch {reading.version}, this page {version()}" if other else "",
        verdict=reading.verdict,
        verdict_tone=_verdict_tone(reading),
        verdict_s=None if reading.last_age_s is None else round(reading.last_age_s + ago_s, 1),
        per_minute=reading.per_minute,
        reject_rate=_rate(reading.reject_rate, reading.reject_limit, "reject_rate" in reading.alarms),
        failsafe_rate=_rate(reading.failsafe_rate, reading.failsafe_limit, "failsafe_rate" in reading.alarms),
        passed=reading.passed,
        defects=reading.defects,
        doubts=reading.doubts,
        alarms=reading.alarms,
    )


def _tone(reading: Reading) -> Tone:
    if reading.state == _RUNNING:
        return "reject" if reading.alarms else "good"
    return "doubt" if reading.state in _NOT_YET else "bad"


def _verdict_tone(reading: Reading) -> Tone:
    if not reading.verdict:
        return "unknown"
    if reading.verdict == "PASS":
        return "good"
    return "reject" if reading.cause == "defect" else "doubt"


def _rate(value: float | None, limit: float | None, alarm: bool) -> Rate | None:
    return None if value is None else Rate(value, limit, 0, alarm)
