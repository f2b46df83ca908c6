"""Which picture of a rejected part is shown, which piece of it, and the boxes on it; by its file's header alone."""

import struct
from dataclasses import dataclass
from pathlib import Path

import msgspec

from linewatch.core.messages import Detection
from linewatch.dashboard.views import Box, Tone
from linewatch.records.cards import boxes_of, why_none
from linewatch.records.crops import span, worth_a_crop
from linewatch.records.decision_log import DecisionLine, LoggedDetection

_HEADER = struct.Struct(">8s4x4sII")  # signature, IHDR, width, height
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LEAST_VIEW_PX = 128.0
_MARGIN = 0.5  # of the longer side of what is boxed, on each side

View = tuple[float, float, float, float]


@dataclass(frozen=True)
class Shown:
    """file: relative to the run folder, empty when there is none to show, and then `reason` says why."""

    file: str = ""
    size: tuple[int, int] = (0, 0)
    view: View = (0, 0, 0, 0)
    boxes: tuple[Box, ...] = ()
    reason: str = ""


def shown(run_folder: Path, line: DecisionLine, picture_px: tuple[int, int]) -> Shown:
    """What to show of a part: its frame around the boxes, else its first crop. picture_px: of the rectified picture."""
    name = line.frame or next(iter(line.crops), None)
    if name is None:
        return Shown(reason=why_none(line))
    size = png_size(run_folder / name)
    if size is None:
        return Shown(reason="the file is gone or damaged")
    if line.frame is not None:
        boxes = tuple(_box(found, 0, 0) for found in boxes_of(line))
        return Shown(name, size, view_of(boxes, size), boxes)
    return Shown(name, size, (0, 0, *size), _box_of_crop(line, name, picture_px))


def png_size(path: Path) -> tuple[int, int] | None:
    """Width and height of the PNG at `path`; none when it is missing or none."""
    try:
        with path.open("rb") as file:
            signature, chunk, width, height = _HEADER.unpack(file.read(_HEADER.size))
    except (OSError, struct.error):
        return None
    return (width, height) if signature == _SIGNATURE and chunk == b"IHDR" and width and height else None


def view_of(boxes: tuple[Box, ...], size: tuple[int, int]) -> View:
    """x, y, width, height of a square piece around all boxes, moved into the picture; all of it without boxes."""
    if not boxes:
        return (0, 0, *size)
    left, top = min(box.x for box in boxes), min(box.y for box in boxes)
    right, bottom = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    side = max((right - left, bottom - top)) * (1 + 2 * _MARGIN)
    side = min(max(side, _LEAST_VIEW_PX), *size)
    x = min(max((left + right - side) / 2, 0), size[0] - side)
    y = min(max((top + bottom - side) / 2, 0), size[1] - side)
    return round(x, 1), round(y, 1), round(side, 1), round(side, 1)


def _box(found: Detection | LoggedDetection, left: float, top: float) -> Box:
    tone: Tone = "reject" if found.effect == "reject" else "doubt"
    return Box(found.x - left, found.y - top, found.width, found.height, f"{found.label} {found.score:.2f}", tone)


def _box_of_crop(line: DecisionLine, name: str, picture_px: tuple[int, int]) -> tuple[Box, ...]:
    """The box that the crop was cut around, where the recorder put it."""
    number = int(name.rpartition("_")[2].removesuffix(".png"))
    found = worth_a_crop([Detection(*msgspec.structs.astuple(one)) for one in line.detections])[number - 1 : number]
    return tuple(
        _box(
            one,
            span(one.x, one.width, max(one.width, one.height), picture_px[0])[0],
            span(one.y, one.height, max(one.width, one.height), picture_px[1])[0],
        )
        for one in found
    )
