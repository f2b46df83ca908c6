"""`demo` and `render`: bottles that do not exist, with known truth."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    seconds: Annotated[float, typer.Option(min=1, help="How long the line runs, s.")] = 30.0,
    summary: Annotated[Path | None, typer.Option(help="Write the account as JSON here.")] = None,
    output: Annotated[Path | None, typer.Option(help="New folder for the run; runs/demo-TIME by default.")] = None,
    pace: Annotated[str, typer.Option(help="Bottles a minute, or auto: what this machine holds.")] = "auto",
    defect_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of bottles with a defect.")] = 0.15,
    seed: Annotated[int | None, typer.Option(min=0, help="Other bottles; the station's by default.")] = None,
    model: Annotated[Path | None, typer.Option(help="Model folder; the station's by default.")] = None,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="Serve the operator page meanwhile.")] = False,
) -> int:
    """Run the daemon on a virtual bottle line and account for every bottle.

    Exit code 1 when a bottle is missing, double or disputed.
    """
    from linewatch.demo.run import demo as run_demo

    return run_demo(seconds, summary, output, pace, defect_rate, seed, model, dashboard=dashboard)


def render(
    count: Annotated[int, typer.Option(min=1, help="How many bottles.")],
    output: Annotated[Path, typer.Option(help="Folder for images/ and annotations.json (COCO).")],
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bottles.")] = 0,
    size: Annotated[int, typer.Option(min=64, max=4096, help="Width and height of a picture, px.")] = 448,
    defect_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of bottles with a defect.")] = 0.5,
) -> None:
    """Draw bottle bottoms with COCO truth, to train and evaluate on."""
    from linewatch.cli.progress import counted
    from linewatch.sim.dataset import TRUTH, write_dataset

    written = write_dataset(output, seed=seed, count=count, size_px=size, defect_rate=defect_rate)
    for _ in counted(written, "rendering", count):
        pass
    typer.echo(f"{count} pictures in {output / 'images'}, truth in {output / TRUTH}")
