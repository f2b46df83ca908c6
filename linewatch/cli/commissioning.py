"""`init`: the first station file, asked for line by line."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from linewatch.cli.stations import check

CameraKind = Literal["opencv", "basler", "genicam", "folder", "simulated"]

GateOption = Annotated[
    Literal["framed", "edge"],
    typer.Option(
        prompt="Gate (framed: ASCII messages; edge: a switch on a modem line)",
        help="framed: ASCII messages over serial; edge: a photoelectric switch on a modem line.",
    ),
]
Port = Annotated[
    str, typer.Option(prompt="Serial port of the gate", help="Serial port of the gate, best a stable name.")
]
CameraOption = Annotated[
    CameraKind,
    typer.Option(prompt="Camera (opencv, basler, genicam, folder, simulated)", help="What takes the pictures."),
]
Source = Annotated[
    str | None,
    typer.Option(help="Of opencv: /dev/video0, an RTSP address; of folder: its path. Asked for where needed."),
]
Size = Annotated[
    str | None, typer.Option(help="Width and height of the picture, px, as 1280x1024. Asked for where needed.")
]
Model = Annotated[
    Path, typer.Option(prompt="Model folder", help="Model that inspects; its threshold becomes the criterion.")
]
Deadline = Annotated[
    float,
    typer.Option(
        prompt="Trigger to decision, ms, at most", help="Trigger to decision at most, ms; later is REJECT(timeout)."
    ),
]
Transport = Annotated[
    float,
    typer.Option(prompt="Gate to rejecter at full speed, ms", help="Gate to rejecter at the belt's full speed, ms."),
]
Reaction = Annotated[
    float,
    typer.Option(prompt="Time that the rejecter needs, ms", help="What the rejecter needs from decision to blow, ms."),
]


def init(
    path: Annotated[Path, typer.Argument(metavar="STATION", help="New file, best stations/NAME.yaml.")],
    gate: GateOption = "framed",
    port: Port = "/dev/linewatch/gate",
    camera: CameraOption = "opencv",
    source: Source = None,
    size: Size = None,
    model: Model = Path("models/bottle-bottom"),
    deadline_ms: Deadline = 100.0,
    transport_ms: Transport = 400.0,
    reaction_ms: Reaction = 20.0,
) -> int:
    """Write a first station file, every key explained in it, and check it.

    Asks for each option that is not given; a file that is there is never overwritten.
    """
    from linewatch.core.commented import commented
    from linewatch.core.errors import StorageError
    from linewatch.core.station import Station, parse_station
    from linewatch.pictures.write import write_whole

    if path.exists():
        raise StorageError(path, "is there already: give another name, or edit it")
    document = {
        "name": path.stem.lower().replace(" ", "-"),
        "gate": {"kind": gate, "port": port},
        "camera": _camera(camera, source, size),
        "detector": {"kind": "dsmoe", "model": str(model)},
        "acceptance": [{"class": "*", "min_score": _threshold(path, model)}],
        "line": {"deadline_ms": deadline_ms, "max_capture_ms": min(40.0, deadline_ms / 2)},
        "rejecter": {"transport_ms": transport_ms, "reaction_ms": reaction_ms},
    }
    parse_station(document, path)  # its errors, before anything is written
    text = commented(Station.model_validate(document), f"{document['name']}: written by linewatch init, yours to edit")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode())
    typer.echo(f"written: {path}")
    return check(path, offline=True)


def _camera(kind: CameraKind, source: str | None, size: str | None) -> dict[str, Any]:
    if kind == "simulated":
        return {"kind": kind}
    place = {"opencv": ("source", "Device or stream"), "folder": ("path", "Folder of pictures")}.get(kind)
    found: dict[str, Any] = {"kind": kind}
    if place is not None:
        key, words = place
        found[key] = source or typer.prompt(words, default="/dev/video0" if kind == "opencv" else "frames")
    width, _, height = (size or typer.prompt("Size of the picture, px", default="1280x1024")).partition("x")
    return {**found, "width": _whole(width, size), "height": _whole(height, size)}


def _whole(text: str, size: str | None) -> int:
    if not text.strip().isdigit():
        raise typer.BadParameter(f"must be WIDTHxHEIGHT in whole px: {size or text!r}", param_hint="--size")
    return int(text)


def _threshold(path: Path, model: Path) -> float:
    """The model's own threshold where its card says one. Raises ModelError when there is no such model."""
    from linewatch.core.station import site_folder
    from linewatch.dsmoe.weights import read_card

    return read_card(site_folder(path) / model).threshold or 0.5
