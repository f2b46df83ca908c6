"""`report` and `challenge`: what quality staff see of a shift, and how they prove that the line still sees."""

from pathlib import Path
from typing import Annotated

import typer

from linewatch.cli.keys import KEYS


def report(
    folder: Annotated[
        Path | None, typer.Argument(help="Run folder, or the folder of a station's runs; by default the station's.")
    ] = None,
    station: Annotated[
        Path | None, typer.Option(help="Station file: its runs, shifts, time zone, and the limits of its alarms.")
    ] = None,
    shift: Annotated[
        str | None, typer.Option(help="As 2026-11-20/early; or `current`, or `last`: the last that is over.")
    ] = None,
    from_: Annotated[str | None, typer.Option("--from", help="Instead of a shift: as 2026-11-20T06:00.")] = None,
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


def challenge(
    station: Annotated[
        Path | None, typer.Argument(metavar="STATION", help="Station file (YAML) of the line; not with --verify.")
    ] = None,
    parts: Annotated[
        Path | None, typer.Option("--set", help="YAML file with the known-bad parts (docs/quality.md).")
    ] = None,
    operator: Annotated[str, typer.Option(help="Who does it; stands on the report.")] = "",
    output: Annotated[
        Path | None, typer.Option(help="New JSON file; reports/challenge-STATION-TIME.json by default.")
    ] = None,
    feed: Annotated[
        Path | None, typer.Option(help="Without a line: pictures of the parts, through the station's inspection.")
    ] = None,
    sign: Annotated[
        Path | None, typer.Option(help="NAME.key to sign with; signing/challenge.key in the station's keys by default.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(help="NAME.key to listen with, for a line on tcp; the page's by default.")
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(help="Instead of all this: say whether this report is as it was signed.")
    ] = None,
    signer: Annotated[
        Path | None, typer.Option(help="With --verify: NAME.pub of who signed; keys/signing/SIGNER.pub by default.")
    ] = None,
) -> None:
    """Prove that the line rejects known-bad parts, and sign a report. Exit code 6 when one was passed or not seen."""
    from rich.console import Console

    from linewatch.challenge.report import verified
    from linewatch.challenge.run import SIGNING, Order
    from linewatch.challenge.run import challenge as perform
    from linewatch.challenge.show import show
    from linewatch.core.errors import ChallengeFailed, UsageError
    from linewatch.replay.progress import progress_on

    console = Console(soft_wrap=True)
    if verify is not None:
        report, where = verified(verify, signer, KEYS / SIGNING), verify
        console.print(f"signed by {report.signature.signer}, and as it was", markup=False, highlight=False)
    elif station is None or parts is None:
        raise UsageError("STATION and --set", "are needed: which line, and which known-bad parts")
    else:
        order = Order(station, parts, operator, output, sign, key, feed)
        with progress_on() as progress:
            report, files = perform(order, lambda words: print(words, flush=True), progress=progress)
        where = files[0]
        for path in files:
            console.print(f"written: {path}", markup=False, highlight=False)
    show(report.report, console)
    if not report.report.succeeded:
        raise ChallengeFailed(where, report.report.verdict)
