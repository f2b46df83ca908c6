"""What the decision logs of a station's runs say about one span of time: counts, trend, rejects. Nothing is written."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from linewatch.core.errors import CheckFailed, StorageError
from linewatch.core.jsonlines import read_lines
from linewatch.core.messages import Cause, Verdict
from linewatch.core.shifts import Span
from linewatch.records.decision_log import DecisionLine, read_decisions
from linewatch.records.run_folder import EVENTS
from linewatch.records.storage import run_folders
from linewatch.records.summary import Summary, Tally, read_summary
from linewatch.records.trend import Trend

_ID_TIME = "%Y%m%dT%H%M%S"
_DOUBT = timedelta(days=1)  # that a stepped clock may have shifted the times of runs against each other


@dataclass(frozen=True)
class Reject:
    """A rejected part: the run folder it is recorded in, its line, and when it was decided (UTC)."""

    run: Path
    line: DecisionLine
    at: datetime


@dataclass
class Shift:
    """What happened in `span`. summaries: of each run's part of it, by run. undated: parts without a time of day.

    first, last: when the first and last part were decided.
    """

    span: Span
    tally: Tally = field(default_factory=Tally)
    causes: Counter[Cause] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)
    summaries: list[Summary] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)
    undated: int = 0
    first: datetime | None = None
    last: datetime | None = None

    def __post_init__(self) -> None:
        self.trend = Trend(self.span)

    @property
    def missing(self) -> int:
        """Parts between others of the shift without a line in the log."""
        return sum(summary.missing for summary in self.summaries)

    def add(self, run: Path, line: DecisionLine, at: datetime) -> None:
        self.tally.add(line)
        self.trend.add(at, line.cause)
        self.causes[line.cause] += 1
        self.first, self.last = min(self.first or at, at), max(self.last or at, at)
        if line.verdict is Verdict.REJECT:
            self.rejects.append(Reject(run, line, at))


def read_shift(folder: Path, span: Span) -> Shift:
    """What the logs in `folder` say about `span`. folder: a run folder, or the one that holds a station's run folders.

    Raises StorageError when a log of that time cannot be read, CheckFailed when no part was decided then.
    """
    shift = Shift(span)
    nearest: list[datetime] = []
    for run in _runs_of(folder, span):
        tally = Tally()
        for line in read_decisions(run):
            at = _time_of(line)
            if at is None:
                shift.undated += 1
            elif span.begin <= at < span.end:
                shift.add(run, line, at)
                tally.add(line)
            else:
                nearest = [min([*nearest, at]), max([*nearest, at])]
        _close_run(shift, run, tally)
    if not shift.summaries:
        raise CheckFailed(folder, f"no part was decided from {span}{_instead(span, nearest, shift.undated)}")
    shift.rejects.sort(key=lambda reject: (reject.at, reject.line.seq))
    return shift


def _close_run(shift: Shift, run: Path, tally: Tally) -> None:
    closed = None
    with contextlib.suppress(StorageError):  # only the station's name is taken from it
        closed = read_summary(run)
    summary = tally.summary("" if closed is None else closed.station, run.resolve().name)
    if summary.decided:
        shift.summaries.append(summary)
        shift.events += _events(run, shift.span)


def _runs_of(folder: Path, span: Span) -> list[Path]:
    """The run folders that may hold parts of `span`, oldest first, by the time that their names begin with.

    A run without such a name is always looked into.
    """
    if not folder.is_dir():
        raise StorageError(folder, "is no folder")
    if folder.resolve() in run_folders(folder.resolve().parent):
        return [folder]
    runs = sorted(run_folders(folder), key=lambda run: run.name)
    if not runs:
        raise StorageError(folder, "holds no run: no decision log lies in it or in a folder of it")
    starts = [_began(run) for run in runs]
    wanted = []
    for number, (run, start) in enumerate(zip(runs, starts, strict=True)):
        after = next((later for later in starts[number + 1 :] if later is not None), None)
        too_late = start is not None and start - _DOUBT > span.end
        too_early = start is not None and after is not None and after + _DOUBT < span.begin
        if not too_late and not too_early:
            wanted.append(run)
    return wanted


def _began(run: Path) -> datetime | None:
    try:
        return datetime.strptime(run.name.partition("-")[0], _ID_TIME).replace(tzinfo=UTC)
    except ValueError:
        return None


def _time_of(line: DecisionLine) -> datetime | None:
    try:
        at = datetime.fromisoformat(line.times.wall)
    except ValueError:
        return None
    return None if at.tzinfo is None else at.astimezone(UTC)


def _instead(span: Span, nearest: list[datetime], undated: int) -> str:
    if nearest:
        first, last = (f"{at.astimezone(span.zone):%Y-%m-%d %H:%M}" for at in nearest)
        return f"; its logs of that time have parts from {first} to {last}"
    return f"; {undated} parts have no time of day, as in a replay" if undated else ""


def _events(run: Path, span: Span) -> Iterator[dict[str, object]]:
    """Those of the span; one that cannot be read costs itself and not the report."""
    path = run / EVENTS
    lines: Iterable[tuple[int, bytes]] = read_lines(path) if path.is_file() else ()
    for _, text in lines:
        try:
            event = msgspec.json.decode(text, type=dict[str, object])
            at = datetime.fromisoformat(str(event["wall"])).astimezone(UTC)
        except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, ValueError):
            continue
        if span.begin <= at < span.end and {"kind", "text", "seq"} <= event.keys():
            yield {**event, "wall": f"{at.astimezone(span.zone):%H:%M:%S}"}
