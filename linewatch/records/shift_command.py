"""From the words of a command line to the report of a shift."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path

from pydantic import ValidationError

from linewatch.core.errors import UsageError
from linewatch.core.shifts import Shifts, Span
from linewatch.core.station import load_station
from linewatch.records.shift import read_shift
from linewatch.records.shift_report import Heading, write_shift_report

_REPORTS = Path("reports")


@dataclass(frozen=True)
class Wanted:
    """What the command line says about the time, as it was typed; None for what it does not say."""

    shift: str | None = None
    begin: str | None = None
    end: str | None = None
    time_zone: str | None = None
    starts: str | None = None


def report_shift(
    folder: Path | None, station_path: Path | None, wanted: Wanted, output: Path | None, *, paper: bool
) -> tuple[Path, ...]:
    """Write the report; returns its files.

    Raises UsageError for times that are none, CheckFailed when no part was decided then, StorageError.
    """
    station = None if station_path is None else load_station(station_path)
    runs = folder if folder is not None or station is None else station.storage.output
    if runs is None:
        raise UsageError("FOLDER", "give the folder of the runs, or --station")
    span = span_of(wanted, Shifts() if station is None else station.shifts, datetime.now(UTC))
    if output is not None and output.suffix != ".html":
        raise UsageError("--output", "must be an HTML file, NAME.html; the PDF is written beside it", str(output))
    shift = read_shift(runs, span)
    named = next((summary.station for summary in reversed(shift.summaries) if summary.station), "")
    heading = Heading(named if station is None else station.name, None if station is None else station.alarms)
    target = output or _REPORTS / f"{_file_name(heading.station, span)}.html"
    return write_shift_report(shift, heading, target, paper=paper)


def span_of(wanted: Wanted, shifts: Shifts, now: datetime) -> Span:
    """The span that is meant, in the time zone that counts. shifts: of the station. Raises UsageError."""
    shifts = _changed(wanted, shifts)
    if (wanted.shift is None) == (wanted.begin is None and wanted.end is None):
        raise UsageError("--shift", "give either a shift, or --from and --to")
    span = _between(wanted, shifts.zone) if wanted.shift is None else _shift(wanted.shift, shifts, now)
    if span.begin > now:
        raise UsageError("--from" if wanted.shift is None else "--shift", f"lies in the future: {span}")
    return span


def _changed(wanted: Wanted, shifts: Shifts) -> Shifts:
    """The station's shifts with what the command line says otherwise."""
    told: dict[str, object] = {}
    if wanted.time_zone is not None:
        told["time_zone"] = wanted.time_zone
    if wanted.starts is not None:
        pairs = [pair.partition("=") for pair in wanted.starts.split(",")]
        told["starts"] = {name.strip(): start.strip() for name, _, start in pairs}
    try:
        return Shifts.model_validate({**shifts.model_dump(), **told})
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        option = "--" + str(error["loc"][0]).replace("_", "-")
        reason = error["msg"].removeprefix("Value error, ")
        if error["type"] != "value_error":  # a name or a time that is none
            reason = "must be names with times, as early=06:00,late=14:00"
        raise UsageError(option, reason, wanted.starts if option == "--starts" else wanted.time_zone) from exc


def _shift(words: str, shifts: Shifts, now: datetime) -> Span:
    if words == "current":
        return shifts.current(now)
    if words == "last":
        return shifts.before(shifts.current(now))
    day, _, name = words.partition("/")
    if name not in shifts.starts:
        raise UsageError("--shift", f"must be DATE/NAME with one of the shifts {', '.join(shifts.starts)}", words)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) is None:
        raise UsageError("--shift", f"must begin with a date as 2026-11-23/{name}", words)
    try:
        return shifts.on(date.fromisoformat(day), name)
    except (ValueError, OverflowError) as exc:
        raise UsageError("--shift", f"is no date: {exc}", words) from exc


def _between(wanted: Wanted, zone: tzinfo) -> Span:
    if wanted.begin is None or wanted.end is None:
        raise UsageError("--from and --to", "belong together")
    begin, end = _time("--from", wanted.begin, zone), _time("--to", wanted.end, zone)
    if end <= begin:
        raise UsageError("--to", f"must be later than --from {wanted.begin}", wanted.end)
    return Span("", begin, end, zone)


def _time(option: str, words: str, zone: tzinfo) -> datetime:
    """In UTC; without an offset it is read by the clock that counts."""
    try:
        at = datetime.fromisoformat(words)
        return (at if at.tzinfo is not None else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise UsageError(option, "must be a time as 2026-11-23T06:00", words) from exc


def _file_name(station: str, span: Span) -> str:
    local = span.begin.astimezone(span.zone)
    return "-".join(word for word in (station, f"{local:%Y-%m-%d}", span.name or f"{local:%H%M}") if word)
