"""`report` and `challenge`: what quality staff see of a shift, and how they prove that the line still sees."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    folder: Annotated[
        Path | None, typer.Argument(help="Run folder, or the folder of a station's runs; by default the station's.")
    ] = None,
    station: Annotated[
        Path | None, typer.Option(help="Station file: its runs, shifts, time zone, and the limits of its alarms.")
    ] = None,
    shift: Annotated[
        str | None, typer.Option(help="As 2026-11-23/early; or `current`, or `last`: the last that is over.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Instead of a shift: as 2026-11-23T06:00.")] = None,
    to: Annotated[str | None, typer.Option("--to", help="Up to this time, which must be given with --from.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Whose clock counts, as Europe/Berlin; else the station's or this machine's.")
    ] = None,
    starts: Annotated[str | None, typer.Option(help="Shifts, as early=06:00,late=14:00,night=22:00.")] = None,
    output: Annotated[Path | None, typer.Option(help="HTML file; reports/STATION-DATE-SHIFT.html by default.")] = None,
    paper: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Whether a PDF is written beside the page.")] = True,
) -> None:
    """Report on a shift: counts, causes, trend with the alarms' limits, every reject with its picture."""
    from linewatch.records.shift_command import Wanted, report_shift

    wanted = Wanted(shift=shift, begin=from_, end=to, time_zone=time_zone, starts=starts)
    for path in report_shift(folder, station, wanted, output, paper=paper):
        typer.echo(f"written: {path}")
