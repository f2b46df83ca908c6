"""The report of a shift on A4: numbers and charts on the first page, twelve rejects on each of the next."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from linewatch.core.station import Alarms
from linewatch.records.contact_sheet import face_of
from linewatch.records.shift import Reject, Shift
from linewatch.records.shift_charts import draw_pareto, draw_trend, drawing

_A4 = (8.27, 11.69)  # inches
_MOST_REJECTS = 120
_COLUMNS, _ROWS = 3, 4
_SIDE_PX = 288
_COLOURS = {"": "#171a1f", "pass": "#2a7f4f", "reject": "#c9302c", "warn": "#b7791f"}
_LONGEST = 38  # characters of a line under a picture


@dataclass(frozen=True)
class Head:
    """What stands on top of the first page. numbers: value, words and tone of each. notes: what a reader must know."""

    title: str
    numbers: Sequence[tuple[str, str, str]]
    notes: Sequence[str]


def paper_of(shift: Shift, limits: Alarms | None, head: Head) -> bytes:
    """The PDF. Beyond 120 rejects only the page has them all, and it is said."""
    shown = shift.rejects[:_MOST_REJECTS]
    size = _COLUMNS * _ROWS
    data = io.BytesIO()
    with drawing(), PdfPages(data, metadata={"Title": head.title, "Creator": "linewatch"}) as pages:
        pages.savefig(_first(shift, limits, head))
        for start in range(0, len(shown), size):
            pages.savefig(_rejects(shift, head.title, shown[start : start + size], start))
    return data.getvalue()


def _first(shift: Shift, limits: Alarms | None, head: Head) -> Figure:
    page = Figure(figsize=_A4)
    page.text(0.07, 0.95, head.title, fontsize=18, weight="bold")
    page.text(0.07, 0.93, str(shift.span), fontsize=9, color="0.35")
    for number, (value, words, tone) in enumerate(head.numbers):
        at = 0.07 + 0.175 * number
        page.text(at, 0.885, value, fontsize=15, weight="bold", color=_COLOURS[tone])
        page.text(at, 0.867, words, fontsize=8, color="0.35")
    page.text(0.07, 0.85, "\n".join(head.notes), fontsize=8, color=_COLOURS["warn"], va="top")
    halves: Any = page.subfigures(2, 1, height_ratios=(2, 3))
    upper, lower = halves
    upper.subplots_adjust(left=0.24, right=0.93, top=0.52, bottom=0.12)
    draw_pareto(upper.subplots(), shift)
    lower.subplots_adjust(left=0.12, right=0.93, top=0.97, bottom=0.1)
    draw_trend(lower, shift, limits)
    return page


def _rejects(shift: Shift, title: str, rejects: Sequence[Reject], start: int) -> Figure:
    page = Figure(figsize=_A4)
    whole = len(shift.rejects)
    words = f"{title}: rejects {start + 1} to {start + len(rejects)} of {whole}"
    if whole > _MOST_REJECTS:
        words += f"; the paper shows {_MOST_REJECTS}, the HTML page all"
    page.text(0.07, 0.96, words, fontsize=10, weight="bold")
    grid = page.subplots(_ROWS, _COLUMNS, squeeze=False)
    page.subplots_adjust(left=0.07, right=0.93, top=0.94, bottom=0.05, wspace=0.08, hspace=0.28)
    for number in range(_ROWS * _COLUMNS):
        axes = grid[number // _COLUMNS][number % _COLUMNS]
        axes.set_axis_off()
        if number < len(rejects):
            _tile(axes, shift, rejects[number])
    return page


def _tile(axes: Axes, shift: Shift, reject: Reject) -> None:
    line = reject.line
    axes.imshow(face_of(reject.run, line, _SIDE_PX))
    clock = f"{reject.at.astimezone(shift.span.zone):%H:%M:%S}"
    colour = _COLOURS["warn" if line.cause.is_failsafe else "reject"]
    under: Any = {"transform": axes.transAxes, "va": "top"}
    axes.text(0, -0.02, f"#{line.seq} {line.cause.value}", fontsize=9, weight="bold", color=colour, **under)
    axes.text(1, -0.02, clock, fontsize=8, ha="right", color="0.35", **under)
    words = f"{line.label} {line.score:.2f}" if line.label else line.reason
    axes.text(0, -0.09, words if len(words) <= _LONGEST else words[: _LONGEST - 3] + "...", fontsize=8, **under)
