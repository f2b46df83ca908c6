"""`run`, `record` and `check`: one station's line, live."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from linewatch.cli.options import Station


def run(station: Station) -> int:
    """Run the line of a station until SIGTERM or Ctrl-C.

    Starts camera, inspector and recorder, and starts them again when they end; decisions go to the endpoints of the
    station file, records to its `storage.output`.
    """
    from linewatch.line.run import run as run_line

    return run_line(station)


def record(
    station: Station,
    output: Annotated[Path, typer.Option(help="New folder for the recording.")],
    limit: Annotated[
        int | None, typer.Option(min=1, help="Stop after so many parts; none runs until SIGTERM or Ctrl-C.")
    ] = None,
) -> int:
    """Run the line and keep every frame with its trigger, as a recording that `replay` reads."""
    from linewatch.core.station import load_station
    from linewatch.line.controller import RECORDER
    from linewatch.line.run import run as run_line
    from linewatch.line.supervisor import SHADOW, standard_children
    from linewatch.records.command import record_command

    path, recorder = station.resolve(), tuple(record_command(station.resolve(), output.resolve()))
    children = tuple(
        dataclasses.replace(child, command=recorder) if child.name == RECORDER else child
        for child in standard_children(path, load_station(path))
        if child.name != SHADOW  # its log belongs to a run folder
    )
    return run_line(path, children=children, limit=limit)


def check(
    station: Station,
    offline: Annotated[bool, typer.Option("--offline", help="Devices that are not there are only warned of.")] = False,
) -> int:
    """Say everything that keeps a station from running: file, model, calibration, devices, output, this machine."""
    from linewatch.check.answers import Answer
    from linewatch.check.station import look

    counted = {"error": 0, "warning": 0}
    code = 0
    for found in look(station, offline=offline):
        if isinstance(found, Answer):
            typer.echo(f"ok: {found}")
            continue
        kind = "warning" if found.is_warning else "error"
        counted[kind] += 1
        code = code or (0 if found.is_warning else found.error.exit_code)
        typer.echo(f"{kind}: {found.error}", err=True)
    typer.echo(f"{station}: {counted['error']} errors, {counted['warning']} warnings")
    return code
