"""The results as a table for people and as JSON for programs."""

import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from linewatch.core.errors import StorageError
from linewatch.faults.station_file import Layout
from linewatch.faults.trial import Trial
from linewatch.faults.trying import Result


def print_table(console: Console, results: Sequence[Result]) -> None:
    """One row for each fault, and what was broken below it."""
    table = Table(box=None, pad_edge=False, highlight=False)
    for name in ("fault", "promised", "seen"):
        table.add_column(name, overflow="fold", ratio=(2 if name == "fault" else 4))
    table.add_column("lost", justify="right", no_wrap=True)
    table.add_column("recovered", justify="right", no_wrap=True)
    for result in results:
        style = "bold red" if result.broken else "dim" if result.trial is None else None
        table.add_row(*_row(result), style=style)
    console.print()
    console.print(table)
    for result in results:
        for text in result.broken:
            console.print(f"BROKEN  {result.fault.name}: {text}", style="bold red", markup=False, highlight=False)


def _row(result: Result) -> tuple[str, str, str, str, str]:
    name, promise, trial = result.fault.name, result.fault.promise, result.trial
    if trial is None:
        return name, promise, f"not shown: {result.left_out}", "-", "-"
    return name, promise, seen(trial), str(len(trial.lost)), _recovery(trial)


def seen(trial: Trial) -> str:
    """What was done and what became of the parts, in a line."""
    causes = ", ".join(f"{cause.value} {count}" for cause, count in trial.causes.most_common())
    text = f"{trial.how}; {trial.fired} parts: {causes or 'none'}"
    if trial.unanswered:
        text += f"; {trial.unanswered} undecided" + (", all rejected unseen" if not trial.lost else "")
    return text + (f"; {trial.unlogged} decisions not in the log" if trial.unlogged else "")


def _recovery(trial: Trial) -> str:
    if trial.recovered_s is None:
        return "never"
    return f"{trial.recovered_s:.1f} s" if trial.harmed else "not harmed"


def write_summary(path: Path, layout: Layout, results: Sequence[Result], seconds: float) -> None:
    """Raises StorageError."""
    summary = {
        "station": layout.station.name,
        "detector": "null" if layout.null else layout.station.detector.model.name,
        "pace_per_min": layout.pace_per_min,
        "deadline_ms": layout.station.line.deadline_ms,
        "transport_ms": layout.station.rejecter.transport_ms,
        "seconds": round(seconds, 1),
        "holds": not any(result.broken for result in results),
        "faults": [_entry(result) for result in results],
    }
    try:
        path.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be written") from exc


def _entry(result: Result) -> dict[str, object]:
    """One fault; times in seconds, counts are parts."""
    entry: dict[str, object] = {"fault": result.fault.name, "promise": result.fault.promise}
    trial = result.trial
    if trial is None:
        return {**entry, "left_out": result.left_out, "broken": list(result.broken)}
    recovered_s = None if trial.recovered_s is None else round(trial.recovered_s, 3)
    return {
        **entry,
        "how": trial.how,
        "seen": seen(trial),
        "parts": trial.fired,
        "causes": {cause.value: count for cause, count in trial.causes.items()},
        "events": sorted({event.kind for event in trial.events}),
        "unanswered": trial.unanswered,
        "parts_lost": len(trial.lost),
        "double": trial.double,
        "unlogged": trial.unlogged,
        "harmed": trial.harmed,
        "time_to_recover_s": recovered_s,
        "broken": list(result.broken),
    }
