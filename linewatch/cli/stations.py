"""`run`, `record` and `check`: one station's line, live."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from linewatch.cli.options import Station


def run(station: Station) -> int:
    """Run the line of a station until SIGTERM or Ctrl-C."""
    from linewatch.line.run import run as run_line

    return run_line(station)


def record(
    station: Station,
    output: Annotated[Path, typer.Option(help="New folder for the recording.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many parts.")] = None,
) -> int:
    """Run the line and keep every frame with its trigger, as a recording that `replay` reads."""
    from linewatch.core.station import load_station
    from linewatch.line.controller import RECORDER
    from linewatch.line.run import run as run_line
    from linewatch.line.supervisor import standard_children
    from linewatch.records.command import record_command

    path, recorder = station.resolve(), tuple(record_command(station.resolve(), output.resolve()))
    children = tuple(
        dataclasses.replace(child, command=recorder) if child.name == RECORDER else child
        for child in standard_children(path, load_station(path))
    )
    return run_line(path, children=children, limit=limit)


def check(
    station: Station,
    offline: Annotated[bool, typer.Option("--offline", help="Devices that are not there are only warned of.")] = False,
) -> int:
    """Say everything that keeps a station from running: file, model, calibration, devices, output."""
    from linewatch.check.station import calibration_in_use
    from linewatch.check.station import check as look_at

    findings = look_at(station, offline=offline)
    for finding in findings:
        typer.echo(f"{'warning' if finding.is_warning else 'error'}: {finding.error}", err=True)
    if words := calibration_in_use(station):
        typer.echo(words)
    errors = [finding.error for finding in findings if not finding.is_warning]
    typer.echo(f"{station}: {len(errors)} errors, {len(findings) - len(errors)} warnings")
    return errors[0].exit_code if errors else 0
