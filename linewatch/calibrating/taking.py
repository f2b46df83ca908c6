"""Pictures taken with the station's own camera, the line standing still."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from linewatch.calibrating.target import Target
from linewatch.calibrating.views import look
from linewatch.cameras.camera import Camera
from linewatch.cameras.choose import camera_for
from linewatch.core.clock import MonotonicClock
from linewatch.core.errors import CalibrationError, CameraError, StorageError
from linewatch.core.station import Station, load_station
from linewatch.pictures.read import to_grey
from linewatch.pictures.types import Picture
from linewatch.pictures.write import write_png
from linewatch.triggers.keeper import build_gate

_PATIENCE_MS = 2000.0  # nobody's deadline runs while a camera is set up


def take_pictures(
    path: Path, output: Path, count: int, *, every_s: float | None, target: Target | None, say: Callable[[str], object]
) -> int:
    """Take `count` pictures with the camera of the station file at `path` into the new folder `output`; how many.

    every_s: seconds between them; none takes one at each Enter, and ends with standard input. target: said of each
    picture whether it can be used; none says nothing. Raises StationError, CameraError, StorageError.
    """
    station = load_station(path)
    taken = 0
    with _light_of(station) as fire, closing(open_camera(station)) as camera:
        _new_folder(output)
        while taken < count and _wait(every_s, taken + 1, count, say):
            taken += 1
            fire(taken)
            picture = camera.capture(taken, time.monotonic_ns()).pixels
            file = output / f"{taken:03d}.png"
            write_png(file, picture)
            if target is not None:
                say(_judged(to_grey(picture), target, file.name))
    return taken


def open_camera(station: Station, patience_ms: float = _PATIENCE_MS) -> Camera:
    """The station's camera, open; a picture may come up to `patience_ms` after it is asked for. Raises CameraError."""
    settings = station.camera
    if getattr(settings, "trigger", "software") == "hardware":
        reason = (
            "takes no picture without the gate's pulse: set camera.trigger to software for this, and back afterwards"
        )
        raise CameraError("camera.trigger", reason, "hardware")
    line = station.line.model_copy(update={"max_capture_ms": max(patience_ms, station.line.max_capture_ms)})
    camera = camera_for(station.model_copy(update={"line": line}))
    camera.open()
    return camera


@contextmanager
def _light_of(station: Station) -> Iterator[Callable[[int], None]]:
    """What fires the light for picture n, where the gate's port does that. Raises GateError when it is not there."""
    if station.light.kind not in ("serial_command", "control_line"):
        yield lambda _: None
        return
    gate = build_gate(station, MonotonicClock())
    gate.open()
    with closing(gate):
        yield gate.fire_light


def _wait(every_s: float | None, number: int, count: int, say: Callable[[str], object]) -> bool:
    """Until the next picture is to be taken; false when nobody wants one any more."""
    if every_s is None:
        say(f"picture {number} of {count}: Enter takes it, Ctrl-D ends")
        return sys.stdin.readline() != ""
    if number > 1:
        time.sleep(every_s)
    return True


def _judged(picture: Picture, target: Target, name: str) -> str:
    """Whether the picture can be used, in words."""
    try:
        view = look(picture, target, name, (picture.shape[1], picture.shape[0]))
    except CalibrationError as exc:
        return f"not usable: {exc}"
    return f"{name}: {len(view.at)} of {len(target.corners_mm)} corners"


def _new_folder(folder: Path) -> None:
    """Raises StorageError when there is something in it already."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise StorageError(folder, "is not empty: pictures of two occasions must not mix")
    except OSError as exc:
        raise StorageError(folder, exc.strerror or "cannot be made") from exc
