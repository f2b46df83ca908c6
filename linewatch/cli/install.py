"""`install`: the files that make a machine run lines as a service."""

from pathlib import Path
from typing import Annotated

import typer


def install(
    prefix: Annotated[Path, typer.Option(help="Root to lay the files out below: / for this machine, else to look at.")],
    user: Annotated[str, typer.Option(help="Who the daemon runs as; made by systemd-sysusers.")] = "linewatch",
) -> None:
    """Lay out systemd units, user, folders, udev rules, man pages and completion; start nothing.

    Says what to run next, as root. A second time changes nothing.
    """
    from linewatch.cli.manuals import manuals
    from linewatch.install.install import install as lay_out
    from linewatch.install.install import next_steps

    prefix = prefix.resolve()
    for placed in lay_out(prefix, user, manuals()):
        typer.echo(f"{placed.state:<10} {placed.path}")
    typer.echo("\nNext, as root:")
    for step in next_steps(prefix):
        typer.echo(f"  {step}")
