"""`faults`: what a line promises to survive, tried on this machine."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def faults(
    quick: Annotated[bool, typer.Option("--quick", help="The faults that take under 40 s together.")] = False,
    station: Annotated[
        Path | None, typer.Option(help="Station whose times, criteria and network are tried; else a virtual one.")
    ] = None,
    detector: Annotated[
        Literal["null", "trained"], typer.Option(help="null finds nothing and is fast; trained is the station's.")
    ] = "null",
    only: Annotated[
        list[str] | None, typer.Option(help="A fault by its name, as the table shows it; may be given again.")
    ] = None,
    patience: Annotated[
        float,
        typer.Option(
            min=1, help="Multiplies the times to recover, and with trained the deadline; on a machine that is busy."
        ),
    ] = 1.0,
    output: Annotated[Path | None, typer.Option(help="Keep logs, station file and run folders here.")] = None,
    summary: Annotated[Path | None, typer.Option(help="Write the results as JSON here.")] = None,
) -> int:
    """Put every fault into a running virtual line, and say which promises held."""
    from linewatch.faults.run import faults as try_faults

    return try_faults(
        quick=quick,
        station=station,
        null=detector == "null",
        only=only or (),
        patience=patience,
        output=output,
        summary=summary,
    )
