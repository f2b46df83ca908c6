"""Pareto and trend of a shift, drawn once for the page (SVG) and the paper (PDF)."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta, tzinfo
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from linewatch.core.station import Alarms
from linewatch.records.pareto import pareto
from linewatch.records.shift import Shift
from linewatch.records.trend import Trend

_REJECT, _DOUBT, _PARTS, _LIMIT = "#c9302c", "#d8973c", "#8aa0bd", "#171a1f"
_MOST_BARS = 12
_LONGEST = 28  # characters of a name beside its bar
_MOST_TIMES = 12
_EVERY = (1, 3, 6, 12, 18, 36, 72, 144)  # steps between two times under the trend
_STYLE: Any = {
    "font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none", "pdf.fonttype": 42,
    "text.parse_math": False, "svg.hashsalt": "linewatch", "font.family": ["DejaVu Sans"],
}  # fmt: skip


@contextmanager
def drawing() -> Iterator[None]:
    """Within, figures are drawn and saved in the reports' style; a letter that no font has is a box, and no warning."""
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def as_svg(figure: Figure) -> str:
    """To be put into a page: the `svg` element alone."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def draw_pareto(axes: Axes, shift: Shift) -> None:
    """What parts were rejected for, most frequent on top, each with its count; the rest together as one bar."""
    rows = pareto(shift.causes, shift.tally.summary("", "").classes)
    if len(rows) > _MOST_BARS:
        rest = rows[_MOST_BARS - 1 :]
        rows = [*rows[: _MOST_BARS - 1], (f"{len(rest)} others", sum(row[1] for row in rest), "doubt")]
    names = [name if len(name) <= _LONGEST else f"{name[: _LONGEST - 3]}..." for name, _, _ in rows]
    colours = [_REJECT if tone == "reject" else _DOUBT for _, _, tone in rows]
    bars = axes.barh(range(len(rows)), [count for _, count, _ in rows], color=colours)
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.margins(x=0.12)
    axes.set_xlabel("rejected parts (red: a defect was seen; amber: in doubt)")


def draw_trend(figure: Figure, shift: Shift, limits: Alarms | None) -> None:
    """Share of rejects, share of rejects in doubt, and parts, of every step of the trend, with the alarms' limits."""
    rejects, doubts, parts = figure.subplots(3, 1, sharex=True, height_ratios=(3, 2, 1))
    steps = shift.trend.steps
    _bars(rejects, [step.reject_rate for step in steps], _REJECT)
    _limit(rejects, None if limits is None else limits.reject_rate)
    rejects.set_ylabel("rejected")
    _bars(doubts, [step.doubt_rate for step in steps], _DOUBT)
    _limit(doubts, None if limits is None else limits.failsafe_rate)
    doubts.set_ylabel("in doubt")
    _bars(parts, [step.parts for step in steps], _PARTS)
    parts.set_ylabel("parts")
    _clock(parts, shift.trend, shift.span.zone)


def _bars(axes: Axes, values: list[float], colour: str) -> None:
    axes.bar(range(len(values)), values, width=0.9, align="edge", color=colour)
    axes.set_ylim(0, max(*values, 0.0, 1e-3) * 1.15)


def _limit(axes: Axes, limit: float | None) -> None:
    """The line that the alarm is raised above, always within the picture."""
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    if limit is not None:
        axes.axhline(limit, color=_LIMIT, lw=1, ls="--")
        axes.set_ylim(0, max(axes.get_ylim()[1], limit * 1.15))
        axes.annotate(
            f"alarm above {limit:.2%}", (1, limit), xycoords=("axes fraction", "data"), xytext=(-2, 2),
            textcoords="offset points", ha="right", color=_LIMIT, fontsize=8,
        )  # fmt: skip


def _clock(axes: Axes, trend: Trend, zone: tzinfo) -> None:
    """Times of the local clock at no more than twelve of the bars' edges."""
    steps = trend.steps
    edges = [*(step.begin for step in steps), steps[-1].begin + trend.length]
    words = "%H:%M" if edges[-1] - edges[0] <= timedelta(days=1) else "%d.%m. %H:%M"
    every = next((size for size in _EVERY if len(edges) <= _MOST_TIMES * size), len(edges))
    ticks = range(0, len(edges), every)
    axes.set_xlim(0, len(steps))
    axes.set_xticks(ticks, [edges[tick].astimezone(zone).strftime(words) for tick in ticks])
