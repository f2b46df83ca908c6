"""`audit`: is a decision log as it was written, and what does it say?"""

import re
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Verify decision logs, and export them.", no_args_is_help=True)
Run = Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, or the decision log itself.")]


@app.command()
def verify(
    run: Run,
    tip: Annotated[str, typer.Option(metavar="HASH", help="A hash kept elsewhere that the log must hold.")] = "",
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The log must be chained with it: storage.audit_key.")
    ] = None,
) -> None:
    """Check every row of a line's decision log; exit code 1 names the first that was changed, removed or inserted."""
    from linewatch.core.errors import UsageError
    from linewatch.core.keyfiles import read_secret
    from linewatch.records.audit import verify as verify_log

    if tip and not re.fullmatch(r"[0-9a-fA-F]{64}", tip):
        raise UsageError("--tip", "is no hash: 64 hexadecimal digits belong there", tip)
    found = verify_log(run, tip.lower(), None if key is None else read_secret(key))
    typer.echo(f"{found.path}: whole, {found.tip.number} decisions of run {found.header.run}, {found.header.station}")
    typer.echo(f"newest row {found.tip.number}: {found.tip.hash}")
    if found.noted is None:
        typer.echo("no tip is noted beside it: whether its end was cut off is not known")


@app.command()
def export(
    run: Run,
    output: Annotated[Path, typer.Option(help="New file; .csv makes a table, anything else JSON lines.")],
) -> None:
    """Write a decision log, of a line or a replay, as JSON lines or as a table."""
    from linewatch.records.log_export import export_log

    typer.echo(f"{export_log(run, output)} decisions written to {output}")
