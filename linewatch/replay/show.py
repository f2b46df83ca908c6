"""The result of a replay as a person reads it on a terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from linewatch.replay.changes import CHANGES_PAGE, Changes
from linewatch.replay.summary import ReplaySummary
from linewatch.replay.truth import Comparison
from linewatch.training.part_level import Rate


def show(summary: ReplaySummary, console: Console) -> None:
    """Print counts, causes, false rejects and escapes, and whatever a reader should be told."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("parts", f"{summary.decided} of {summary.planned}{'' if summary.complete else ', interrupted'}")
    table.add_row("pass", str(summary.passed))
    table.add_row("reject", f"{summary.rejected} ({_listed(summary.causes)})" if summary.rejected else "0")
    if summary.classes:
        table.add_row("defects", _listed(summary.classes))
    if summary.truth is not None:
        _add_truth(table, summary.truth)
    table.add_row("speed", f"{summary.parts_per_s:g} parts/s on this machine")
    console.print(table)
    for note in summary.notes:
        console.print(note, markup=False, highlight=False)


def show_changes(changes: Changes, output: Path, console: Console) -> None:
    """Print how many verdicts changed, and which way."""
    now_pass = sum(change.now_passes for change in changes.changed)
    words = f"{len(changes.changed)} of {changes.compared} verdicts changed"
    console.print(f"{words}: {now_pass} now pass, {len(changes.changed) - now_pass} are now rejected", highlight=False)
    if changes.alone:
        console.print(f"{changes.alone} parts were decided by only one of them", highlight=False)
    console.print(f"each with its pictures: {output / CHANGES_PAGE}", markup=False, highlight=False)


def _add_truth(table: Table, truth: Comparison) -> None:
    in_doubt = f", {truth.fail_safe_good} of them in doubt" if truth.fail_safe_good else ""
    table.add_row("false rejects", _rate(truth.false_rejects, "good") + in_doubt)
    table.add_row("escapes", _rate(truth.escapes, "bad"))
    if truth.unknown:
        table.add_row("unknown", f"{truth.unknown} parts are in no truth file")


def _rate(rate: Rate | None, kind: str) -> str:
    if rate is None:
        return f"no {kind} part was decided"
    share, low, high = (f"{100 * value:.2f}%" for value in (rate.share, rate.low, rate.high))
    return f"{rate.count} of {rate.total} {kind} parts, {share} (95%: {low} to {high})"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if name != "ok")
