"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

Station = Annotated[Path, typer.Argument(metavar="STATION", help="Station file (YAML).")]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the network runs; auto takes a GPU.")]
Models = Annotated[Path, typer.Option("--models", help="Folder of the model folders.")]
