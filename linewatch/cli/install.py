"""`install`: the files that make a machine run lines as a service."""

from pathlib import Path
from typing import Annotated

import typer


def install(
    prefix: Annotated[Path, typer.Option(help="Root to lay the files out below; / for this machine.")],
    user: Annotated[str, typer.Option(help="Who the daemon runs as.")] = "linewatch",
) -> None:
    """Lay out systemd unit, user, folders and udev rules; start nothing, and say what to run next."""
    from linewatch.install.install import install as lay_out
    from linewatch.install.install import next_steps

    prefix = prefix.resolve()
    for placed in lay_out(prefix, user):
        typer.echo(f"{placed.state:<10} {placed.path}")
    typer.echo("\nNext, as root:")
    for step in next_steps(prefix):
        typer.echo(f"  {step}")
