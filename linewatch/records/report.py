"""The report of a run: one HTML file beside the run's pictures, small pictures inside it as far as its budget goes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from linewatch.core.jsonlines import read_lines
from linewatch.core.messages import Verdict
from linewatch.pictures.write import write_whole
from linewatch.records.cards import Images, card_of, page_template
from linewatch.records.decision_log import DecisionLine, read_decisions
from linewatch.records.report_page import PAGE
from linewatch.records.run_folder import EVENTS
from linewatch.records.summary import Summary, Tally, read_summary

REPORT = "report.html"
_EMBEDDED_BYTES = 4_000_000  # of small pictures inside the page; later rejects link to the file beside it
_MOST_CARDS = 2000
_MOST_EVENTS = 500
_BINS = 80


@dataclass(frozen=True)
class _Row:
    name: str
    count: int
    percent: float
    length: float


@dataclass
class _Bin:
    number: int
    first: int
    last: int
    rejects: int = 0
    share: float = field(default=0.0)


def write_report(run_folder: Path, path: Path | None = None) -> Path:
    """Write the report of a run, also of one that goes on; returns where: `path`, or report.html in the run folder.

    Raises StorageError when the log cannot be read or the report cannot be written.
    """
    target = path or run_folder / REPORT
    lines = sorted(read_decisions(run_folder), key=lambda line: line.seq)
    rejects = [line for line in lines if line.verdict is Verdict.REJECT]
    images = Images(target.parent, _EMBEDDED_BYTES)
    cards = [
        card_of(images, run_folder, line, f"part-{line.seq}", line.times.wall[11:23]) for line in rejects[:_MOST_CARDS]
    ]
    summary = _summary(run_folder, lines)
    walls = [line.times.wall for line in lines if line.times.wall]
    page = page_template(PAGE).render(
        title=run_folder.resolve().name,
        station=summary.station,
        interrupted=summary.interrupted,
        began=_to_the_second(walls[0]) if walls else "",
        ended=_to_the_second(walls[-1]) if walls else "",
        numbers=_numbers(summary, lines),
        tables=[
            ("By cause", _rows(summary.causes, summary.decided)),
            ("Defects by class", _rows(summary.classes, sum(summary.classes.values()))),
        ],
        strip=_strip(lines),
        cards=cards,
        left_out=len(rejects) - len(cards),
        events=_events(run_folder),
    )
    write_whole(target, page.encode())
    return target


def _summary(run_folder: Path, lines: Sequence[DecisionLine]) -> Summary:
    """What the log says now, with the station's name and the losses that only the closed run knows."""
    tally = Tally()
    for line in lines:
        tally.add(line)
    closed = read_summary(run_folder)
    if closed is None:
        return tally.summary("", run_folder.name)
    return tally.summary(closed.station, closed.run, log_lost=closed.log_lost, interrupted=closed.interrupted)


def _numbers(summary: Summary, lines: Sequence[DecisionLine]) -> list[tuple[str, str, str]]:
    """Value, words and tone of each number at the top."""
    decided = max(1, summary.decided)
    numbers = [
        (f"{summary.decided:,}", "parts decided", ""),
        (f"{summary.passed:,}", "passed", "pass"),
        (f"{summary.rejected:,}", f"rejected, {100 * summary.rejected / decided:.2f} %", "reject"),
        (f"{summary.failsafe:,}", f"of them in doubt, {100 * summary.failsafe / decided:.2f} %", "warn"),
    ]
    latencies = sorted((line.times.t_decision_ns - line.times.t_trigger_ns) / 1e6 for line in lines)
    if any(latencies):  # in a replay no time passes between the two
        numbers.append((f"{quantile(latencies, 0.5):.1f} ms", "trigger to decision, median", ""))
        numbers.append((f"{quantile(latencies, 0.99):.1f} ms", "trigger to decision, 99 %", ""))
    if summary.missing or summary.log_lost:
        numbers.append((f"{summary.missing + summary.log_lost:,}", "decided but not recorded", "warn"))
    without = sum(summary.pictures.get(state, 0) for state in ("gone", "dropped", "refused", "removed"))
    if without:
        numbers.append((f"{without:,}", "without their pictures", "warn"))
    return numbers


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _rows(counts: dict[str, int], whole: int) -> list[_Row]:
    most = max(counts.values(), default=1)
    return [_Row(name, count, 100 * count / max(1, whole), 100 * count / most) for name, count in counts.items()]


def _strip(lines: Sequence[DecisionLine]) -> list[_Bin]:
    """Rejects along the run in at most 80 bins of equally many parts."""
    size = -(-len(lines) // _BINS)
    bins: list[_Bin] = []
    for start in range(0, len(lines), max(1, size)):
        parts = lines[start : start + size]
        rejects = sum(line.verdict is Verdict.REJECT for line in parts)
        bins.append(_Bin(len(bins), parts[0].seq, parts[-1].seq, rejects))
    most = max((one.rejects for one in bins), default=0)
    for one in bins:
        one.share = one.rejects / max(1, most)
    return bins if most else []


def _events(run_folder: Path) -> list[dict[str, object]]:
    path = run_folder / EVENTS
    if not path.is_file():
        return []
    return [msgspec.json.decode(line, type=dict[str, object]) for _, line in read_lines(path)][-_MOST_EVENTS:]


def _to_the_second(wall: str) -> str:
    return wall[:19].replace("T", " ") + " UTC"
