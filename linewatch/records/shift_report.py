"""The report of a shift: one HTML page, and the same on paper as PDF."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from matplotlib.figure import Figure

from linewatch.core.errors import StorageError
from linewatch.core.station import Alarms
from linewatch.pictures.write import write_whole
from linewatch.records.cards import Card, Images, card_of, page_template, why_none
from linewatch.records.pareto import pareto
from linewatch.records.shift import Reject, Shift
from linewatch.records.shift_charts import as_svg, draw_pareto, draw_trend, drawing
from linewatch.records.shift_page import PAGE
from linewatch.records.shift_paper import Head, paper_of
from linewatch.records.summary import Summary

_EMBEDDED_BYTES = 12_000_000  # of small pictures inside the page; later rejects link to the file
_MOST_CARDS = 2000
_MOST_EVENTS = 500


@dataclass(frozen=True)
class _Listed:
    """One reject beyond the cards, as a line with a link. link: to its picture, empty without one."""

    at: str
    run: str
    seq: int
    why: str
    link: str
    why_none: str


@dataclass(frozen=True)
class Heading:
    """station: its name. limits: of its alarms; none when no station file was given."""

    station: str
    limits: Alarms | None


def write_shift_report(shift: Shift, heading: Heading, target: Path, *, paper: bool = True) -> tuple[Path, ...]:
    """Write the page at `target`, and the PDF beside it unless `paper` is false; returns where.

    Both are made before either is written, so that a report that was there stays whole. Raises StorageError.
    """
    page = _page(shift, heading, target).encode()
    files = {target: page}
    if paper:
        head = Head(_title(shift, heading), _numbers(shift), _notes(shift))
        files[target.with_suffix(".pdf")] = paper_of(shift, heading.limits, head)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageError(target.parent, exc.strerror or "cannot be made") from exc
    for path, data in files.items():
        write_whole(path, data)
    return tuple(files)


def _page(shift: Shift, heading: Heading, target: Path) -> str:
    images = Images(target.parent, _EMBEDDED_BYTES)
    summary = shift.tally.summary(heading.station, "")
    with drawing():
        charts = [as_svg(figure) for figure in _figures(shift, heading.limits)]
    return page_template(PAGE).render(
        title=_title(shift, heading),
        span=str(shift.span),
        first=_clock(shift, shift.first),
        last=_clock(shift, shift.last),
        written=f"{datetime.now(shift.span.zone):%Y-%m-%d %H:%M:%S}",
        notes=_notes(shift),
        numbers=_numbers(shift),
        rejects=len(shift.rejects),
        pareto=charts[0],
        trend=charts[1],
        step=shift.trend.minutes,
        trend_words=_trend_words(shift, heading.limits),
        rows=_rows(shift, summary),
        runs=shift.summaries,
        cards=[_card(images, shift, reject) for reject in shift.rejects[:_MOST_CARDS]],
        listed=[_listed(images, shift, reject) for reject in shift.rejects[_MOST_CARDS:]],
        events=shift.events[-_MOST_EVENTS:],
    )


def _figures(shift: Shift, limits: Alarms | None) -> tuple[Figure, Figure]:
    causes, trend = Figure(figsize=(9, 3.2), layout="constrained"), Figure(figsize=(9, 4.6), layout="constrained")
    draw_pareto(causes.subplots(), shift)
    draw_trend(trend, shift, limits)
    return causes, trend


def _title(shift: Shift, heading: Heading) -> str:
    return " · ".join(word for word in (heading.station, f"{shift.span.day}", shift.span.name) if word)


def _numbers(shift: Shift) -> list[tuple[str, str, str]]:
    """Value, words and tone of each number at the top."""
    summary = shift.tally.summary("", "")
    defects = summary.rejected - summary.failsafe
    shares = [100 * count / max(1, summary.decided) for count in (summary.rejected, defects, summary.failsafe)]
    return [
        (f"{summary.decided:,}", "parts decided", ""),
        (f"{summary.passed:,}", "passed", "pass"),
        (f"{summary.rejected:,}", f"rejected, {shares[0]:.2f} %", "reject"),
        (f"{defects:,}", f"for a defect, {shares[1]:.2f} %", "reject"),
        (f"{summary.failsafe:,}", f"in doubt, {shares[2]:.2f} %", "warn"),
    ]


def _notes(shift: Shift) -> list[str]:
    """What a reader must know before trusting the numbers."""
    notes = []
    if datetime.now(UTC) < shift.span.end:
        notes.append("The shift goes on: this is what was logged so far.")
    if shift.missing:
        notes.append(f"{shift.missing:,} parts were decided and are not in the log.")
    if shift.undated:
        notes.append(f"{shift.undated:,} parts have no time of day in the log and are not counted.")
    without = sum(not (reject.line.frame or reject.line.crops) for reject in shift.rejects)
    if without:
        notes.append(f"{without:,} rejects are without a picture; each says why.")
    if len(shift.events) > _MOST_EVENTS:
        notes.append(f"The last {_MOST_EVENTS} of {len(shift.events):,} events are shown.")
    return notes


def _trend_words(shift: Shift, limits: Alarms | None) -> str:
    if limits is None:
        return "No station file was given: without the limits of its alarms."
    words = []
    for name, limit, rates in (
        ("rejects", limits.reject_rate, [step.reject_rate for step in shift.trend.steps]),
        ("rejects in doubt", limits.failsafe_rate, [step.doubt_rate for step in shift.trend.steps]),
    ):
        if limit is not None:
            above = sum(rate > limit for rate in rates)
            words.append(f"{above} of {len(rates)} spans of {shift.trend.minutes} had more than {limit:.2%} {name}.")
    return " ".join([*words, "The alarms themselves look at the last parts, not at the clock."])


def _rows(shift: Shift, summary: Summary) -> list[tuple[str, int, str, float]]:
    rows = pareto(shift.causes, summary.classes)
    return [(name, count, tone, 100 * count / max(1, summary.decided)) for name, count, tone in rows]


def _card(images: Images, shift: Shift, reject: Reject) -> Card:
    name = f"part-{reject.run.resolve().name}-{reject.line.seq}"
    return card_of(images, reject.run, reject.line, name, _clock(shift, reject.at))


def _listed(images: Images, shift: Shift, reject: Reject) -> _Listed:
    line = reject.line
    file = line.frame or next(iter(line.crops), None)
    why = f"{line.label} {line.score:.2f}" if line.label else f"{line.cause.value} {line.reason}"
    link = "" if file is None else images.link(reject.run / file)
    return _Listed(_clock(shift, reject.at), reject.run.name, line.seq, why, link, why_none(line))


def _clock(shift: Shift, at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(shift.span.zone):%H:%M:%S}"
