"""The result of a challenge as a person reads it on a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from linewatch.challenge.judging import Outcome
from linewatch.challenge.report import Report


def show(report: Report, console: Console) -> None:
    """Print a row for each passage, the problems, and the verdict."""
    table = Table(box=None, pad_edge=False)
    for name in ("part", "expected", "outcome", "seen", "seq", ""):
        table.add_column(name, justify="right" if name == "seq" else "left")
    for one in report.results:
        seen = one.seen
        words = "" if seen is None else f"{seen.verdict.value} ({seen.cause.value}) {seen.label}".strip()
        part = one.part if one.of == 1 else f"{one.part} ({one.number} of {one.of})"
        style = "green" if one.outcome is Outcome.CAUGHT else "red"
        wanted = escape(", ".join(one.expect) or "any defect")
        table.add_row(
            escape(part), wanted, f"[{style}]{one.outcome.value}[/]", escape(words),
            "" if seen is None else str(seen.seq), escape(one.words),
        )  # fmt: skip
    console.print(table)
    for problem in report.problems:
        console.print(problem, markup=False, highlight=False)
    console.print(report.verdict, style="green" if report.succeeded else "red", markup=False, highlight=False)
