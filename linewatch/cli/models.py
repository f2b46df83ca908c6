"""`models`: what lies in models/, whether it is whole, and the published weights to start training from."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from linewatch.cli.options import Models

app = typer.Typer(help="List, verify and fetch models.", no_args_is_help=True)


@app.command("list")
def list_models(models: Models = Path("models")) -> int:
    """Show the models with their classes and sizes; exit code 3 when a card cannot be read."""
    from rich.console import Console

    from linewatch.cli.tables import models_table
    from linewatch.core.errors import ModelError
    from linewatch.dsmoe.weights import WEIGHTS, read_card

    rows: list[tuple[str, ...]] = []
    broken = 0
    for folder in _folders(models):
        try:
            card = read_card(folder)
        except ModelError as exc:
            typer.echo(f"error: {exc}", err=True)
            broken = exc.exit_code
            continue
        weights = folder / WEIGHTS
        size = f"{weights.stat().st_size / 1e6:.1f}" if weights.is_file() else "missing"
        rows.append((card.name, str(len(card.classes)), str(card.input_size), size, card.sha256[:12]))
    Console(soft_wrap=True).print(models_table(rows))
    return broken


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Models; all by default.")] = None,
    models: Models = Path("models"),
) -> int:
    """Check card, sha256, weights and descriptions of models; exit code 3 when one is wrong."""
    from linewatch.check.model import model_errors

    worst = 0
    for folder in [models / name for name in names] if names else _folders(models):
        errors = model_errors(folder)
        for error in errors:
            typer.echo(f"error: {error}", err=True)
            worst = worst or error.exit_code
        typer.echo(f"{folder}: {'wrong' if errors else 'good'}")
    return worst


@app.command()
def fetch(
    name: Annotated[Literal["mobile-sam"], typer.Argument(metavar="NAME", help="What to fetch: mobile-sam.")],
    source: Annotated[str | None, typer.Option("--from", help="Other address, or a file that is already here.")] = None,
    output: Annotated[Path, typer.Option(help="Where the encoder goes.")] = Path(
        "models/mobile-sam/encoder.safetensors"
    ),
) -> None:
    """Fetch MobileSAM's published weights, prove them, and keep the image encoder to start training from."""
    from linewatch.training.weights_fetch import MOBILE_SAM_URL, fetch_mobile_sam

    typer.echo(f"{name}: encoder in {fetch_mobile_sam(output, source or MOBILE_SAM_URL)}")


def _folders(models: Path) -> list[Path]:
    from linewatch.core.errors import StorageError
    from linewatch.dsmoe.weights import CARD

    found = sorted(card.parent for card in models.glob(f"*/{CARD}"))
    if not found:
        raise StorageError(models, f"holds no model (a folder with {CARD})")
    return found
