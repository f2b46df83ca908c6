"""`train` and `evaluate`."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from linewatch.cli.options import Device
from linewatch.core.errors import UsageError


def train(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="Training configuration (YAML).")],
    output: Annotated[
        Path | None,
        typer.Option(help="Folder of model and state; runs/train-MODEL by default. Goes on where it stopped."),
    ] = None,
    device: Device = "auto",
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 leaves it to torch.")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start anew although a state lies there.")] = False,
    split: Annotated[
        Path | None,
        typer.Option(help="Train nothing: list in this folder which pictures are learnt from and which kept back."),
    ] = None,
) -> int:
    """Train a model; Ctrl-C keeps the state, and the same command goes on from it."""
    if split is not None:
        _list_split(config, split)
        return 0
    from linewatch.cli.devices import require_device
    from linewatch.cli.ending import INTERRUPTED
    from linewatch.training.config import load_config

    target = output or Path("runs") / f"train-{load_config(config).model.name}"
    require_device(device)
    from linewatch.training.run import (
        train as run_training,
    )  # loads torch, for which a wrong configuration need not wait

    finished = run_training(config, output=target, device=device, threads=threads, fresh=fresh)
    if os.environ.get("RANK", "0") == "0":  # under torchrun the first process speaks for all
        typer.echo(f"model, curve and state in {target}" if finished else f"stopped; the state is kept in {target}")
    return 0 if finished else INTERRUPTED


def _list_split(config: Path, folder: Path) -> None:
    from linewatch.training.config import load_config
    from linewatch.training.splitting import load_split, write_names

    split = load_split(load_config(config))
    write_names(split, folder)
    typer.echo(
        f"{len(split.learn.pictures)} pictures to learn from, {len(split.validation.pictures)} to choose the "
        f"threshold, {len(split.test.pictures)} only reported on: lists in {folder}"
    )


def evaluate(
    model: Annotated[Path, typer.Option(help="Model folder.")],
    annotations: Annotated[Path, typer.Option(help="COCO json, YOLO data.yaml or VOC folder.")],
    output: Annotated[Path, typer.Option(help="JSON file for the result.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures, when the annotations do not say.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Acceptance threshold; the model card's by default.")
    ] = None,
    precision: Annotated[
        Literal["bf16", "fp32"] | None, typer.Option(help="What the network computes in; the model card's by default.")
    ] = None,
    routing: Annotated[
        Path | None, typer.Option(help="Folder for routing.json and routing.png: which expert serves which class.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Measure a model on annotated pictures (COCO metrics)."""
    from rich.console import Console

    from linewatch.check.output import require_writable_file, require_writable_folder
    from linewatch.cli.devices import require_device
    from linewatch.cli.progress import ticking
    from linewatch.cli.tables import metrics_table

    require_writable_file(output)
    if routing is not None:
        require_writable_folder(routing)
    require_device(device)
    from linewatch.training.evaluating import evaluate_model

    with ticking("evaluating") as tick:
        metrics = evaluate_model(
            model, annotations, images, output, threshold=threshold, device=device, precision=precision,
            routing=routing, tick=tick,
        )  # fmt: skip
    Console().print(metrics_table(metrics))
    typer.echo(f"result in {output}" if routing is None else f"result in {output}, routing in {routing}")


def tune(
    model: Annotated[Path, typer.Option(help="Model folder.")],
    annotations: Annotated[Path, typer.Option(help="COCO json, YOLO data.yaml or VOC folder; good parts have no box.")],
    output: Annotated[Path, typer.Option(help="Folder for acceptance.yaml and tune.png.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures, when the annotations do not say.")
    ] = None,
    max_escapes: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Largest share of bad parts that may pass on these pictures (default 0)."),
    ] = None,
    max_false_rejects: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Instead: largest share of good parts that may be rejected on these pictures."),
    ] = None,
    device: Device = "auto",
) -> None:
    """Propose acceptance criteria, a score for each class, from pictures of good and bad parts."""
    if max_escapes is not None and max_false_rejects is not None:
        raise UsageError("--max-false-rejects", "cannot be asked for beside --max-escapes", max_false_rejects)
    from linewatch.check.output import require_writable_folder
    from linewatch.cli.devices import require_device
    from linewatch.cli.progress import ticking

    require_writable_folder(output)
    require_device(device)
    from linewatch.training.tuning import CRITERIA, PLOT
    from linewatch.training.tuning import tune as run_tuning

    with ticking("inspecting") as tick:
        run_tuning(
            model, annotations, images, output, most=max_escapes or max_false_rejects or 0.0,
            of="escapes" if max_false_rejects is None else "false_rejects", device=device, tick=tick,
        )  # fmt: skip
    typer.echo((output / CRITERIA).read_text(encoding="utf-8"), nl=False)
    typer.echo(f"written to {output / CRITERIA}, plot in {output / PLOT}")
