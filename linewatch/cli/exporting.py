"""`export`: a trained model for runtimes without torch."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder.")],
    kind: Annotated[Literal["onnx"], typer.Option("--format", help="What to write.")] = "onnx",
    output: Annotated[Path | None, typer.Option(help="File to write; MODEL/NAME.onnx by default.")] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of pictures to compare on; drawn ones by default.")
    ] = None,
) -> None:
    """Write a model as ONNX; kept only when ONNX Runtime and torch agree on pictures (exit code 1 else)."""
    from linewatch.check.output import require_writable_file

    target = output or model / f"{model.resolve().name}.{kind}"
    require_writable_file(target)
    from linewatch.export.command import export as write
    from linewatch.export.command import told
    from linewatch.export.graph import OPSET

    found = write(model, target, images)
    typer.echo(f"{target}: {target.stat().st_size / 1e6:.1f} MB, opset {OPSET}; {told(found)}")
