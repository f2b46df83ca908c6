"""`shadow`: what a candidate model would have said of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from linewatch.shadow.report import Agreement

app = typer.Typer(help="A candidate model beside the line, which decides nothing.", no_args_is_help=True)


@app.callback()
def shadow() -> None:
    """A candidate model beside the line, which decides nothing (`shadow` in the station file)."""


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", help="Run folder of the line.")],
    output: Annotated[
        Path | None, typer.Option(help="Folder for the results; shadow-report in the run folder by default.")
    ] = None,
) -> None:
    """Say how far the shadow agreed with the line, and show every part on which it did not."""
    from rich.console import Console

    from linewatch.cli.tables import agreement_table
    from linewatch.replay.changes import CHANGES_PAGE
    from linewatch.shadow.report import write_shadow_report

    target = output or run / "shadow-report"
    agreement, changes = write_shadow_report(run, target)
    Console().print(agreement_table(agreement))
    typer.echo(_in_words(agreement))
    now_pass = sum(change.now_passes for change in changes.changed)
    typer.echo(
        f"it would have passed {now_pass} rejected parts, and rejected {len(changes.changed) - now_pass} passed ones"
    )
    typer.echo(f"each with its picture: {target / CHANGES_PAGE}")


def _in_words(found: "Agreement") -> str:
    if found.alike is None:
        return "no part was judged by both"
    share, low, high = (f"{100 * value:.2f}%" for value in (found.alike.share, found.alike.low, found.alike.high))
    return f"alike on {found.alike.count} of {found.alike.total} parts judged by both, {share} (95%: {low} to {high})"
