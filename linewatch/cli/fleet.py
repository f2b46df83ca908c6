"""`fleet`: several stations on one page."""

from pathlib import Path
from typing import Annotated

import typer

from linewatch.core.errors import UsageError


def fleet(
    stations: Annotated[
        list[str], typer.Argument(metavar="STATIONS.yaml | URL...", help="List of stations, or their pages' addresses.")
    ],
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Another port than the file's (8770).")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Ask every station once, print JSON; exit code 1 unless all are well.")
    ] = False,
) -> int:
    """Serve one page of several stations, worst first, from their metrics, until SIGTERM or Ctrl-C."""
    from linewatch.core.fleet import fleet_of, load_fleet
    from linewatch.dashboard.fleet.serve import seen_once, serve

    are_urls = ["://" in word for word in stations]
    if any(are_urls) != all(are_urls) or (len(stations) > 1 and not all(are_urls)):
        raise UsageError("fleet", "takes one file, or addresses like http://192.168.1.11:8765/", " ".join(stations))
    chosen = fleet_of(stations) if are_urls[0] else load_fleet(Path(stations[0]))
    if port is not None:
        chosen = chosen.model_copy(update={"port": port})
    if not json:
        return serve(chosen, lambda address: typer.echo(f"fleet page: {address}"))
    import msgspec

    page = seen_once(chosen)
    typer.echo(msgspec.json.format(msgspec.json.encode(page), indent=2).decode())
    return 0 if page.well == len(page.stations) else 1
