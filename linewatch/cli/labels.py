"""`labels`: pictures of a run out for relabelling, and corrected labels back."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from linewatch.labels.importing import Corrections

app = typer.Typer(help="Pictures of a run out for relabelling, and corrected labels back.", no_args_is_help=True)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", help="Run folder, of the line or of a replay.")],
    output: Annotated[Path, typer.Option(help="New folder for the set.")],
    layout: Annotated[Literal["coco", "yolo"], typer.Option("--format", help="What the tool reads.")] = "coco",
    what: Annotated[
        Literal["rejects", "all", "near"],
        typer.Option(help="Rejected parts, all parts, or those with a score near --threshold."),
    ] = "rejects",
    threshold: Annotated[
        list[float] | None, typer.Option(min=0, max=1, help="Score for --what near; may be given more than once.")
    ] = None,
    within: Annotated[float, typer.Option(min=0, max=1, help="How far from it is near.")] = 0.1,
    station: Annotated[
        Path | None,
        typer.Option(help="Station file of the run: all classes of its model, and crops where no frame was kept."),
    ] = None,
) -> None:
    """Copy a run's saved pictures, with their detections as boxes."""
    from linewatch.core.station import load_station
    from linewatch.labels.exporting import export_labels
    from linewatch.labels.selecting import Wanted

    wanted = Wanted(what, tuple(threshold or ()), within)
    done = export_labels(run, output, layout, wanted, None if station is None else load_station(station))
    boxes = ", ".join(f"{name} {count}" for name, count in done.boxes.most_common()) or "none"
    typer.echo(f"{len(done.pictures)} pictures of {done.parts} parts in {output}; boxes: {boxes}")
    for reason, count in done.without.most_common():
        typer.echo(f"{count} wanted parts are not in it, their picture: {reason}")


@app.command("import")
def import_(
    corrected: Annotated[Path, typer.Argument(help="COCO .json or YOLO folder, as the annotation tool gave it back.")],
    output: Annotated[Path, typer.Option(help="New folder for the set to train on.")],
    export: Annotated[
        Path | None, typer.Option(help="Folder of the export it was made from; by default the one it lies in.")
    ] = None,
    more: Annotated[
        list[str] | None, typer.Option("--class", help="Class that the export had not; may be given more than once.")
    ] = None,
    partial: Annotated[bool, typer.Option("--partial", help="Not all pictures were gone through.")] = False,
) -> None:
    """Check corrected labels, say what was corrected, and write a set that `linewatch train` takes."""
    from linewatch.labels.importing import import_labels
    from linewatch.labels.manifest import COCO_FILE

    corrections = import_labels(corrected, output, export=export, more_classes=more or (), partial=partial)
    _show(corrections)
    typer.echo("in a training configuration:")
    typer.echo(f"data:\n  sources:\n    - annotations: {output / COCO_FILE}")
    typer.echo('  group: "^(.+_[0-9]{8,})"   # the crops of one part stay on one side')


def _show(corrections: "Corrections") -> None:
    from rich.console import Console

    from linewatch.cli.tables import corrections_table

    Console().print(corrections_table(corrections))
    if corrections.judged:
        typer.echo(
            f"of {corrections.judged} whole frames that were judged, {corrections.false_rejects} were rejected without "
            f"a defect and {corrections.escapes} passed with one"
        )
