"""`dashboard`: the operator page of a station."""

from typing import Annotated

import typer

from linewatch.cli.options import Station


def dashboard(
    station: Station,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Another port than the station file's; 0 takes a free one.")
    ] = None,
) -> int:
    """Serve the operator page of a station, its metrics and health, until SIGTERM or Ctrl-C."""
    from linewatch.dashboard.serve import serve

    return serve(station, lambda address: typer.echo(f"operator page: {address}"), port)
