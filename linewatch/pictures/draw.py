"""Drawing on pictures for people: boxes with labels, fitted text, scaled tiles. Colours are red, green, blue."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np

from linewatch.pictures.types import Picture

Colour: TypeAlias = tuple[int, int, int]

GROUND: Colour = (21, 24, 29)
PANEL: Colour = (33, 38, 46)
INK: Colour = (236, 239, 244)
DIM: Colour = (150, 160, 175)
RED: Colour = (240, 74, 62)
AMBER: Colour = (245, 176, 46)

_PLAIN, _BOLD = cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX


@dataclass(frozen=True)
class Box:
    """A box in pixels of the picture it belongs to, with what is written at it."""

    x: float
    y: float
    width: float
    height: float
    label: str
    colour: Colour


def blank(width: int, height: int, colour: Colour = GROUND) -> Picture:
    """(height, width, 3) of one colour."""
    return np.full((height, width, 3), colour, np.uint8)


def fit(picture: Picture, width: int, height: int, boxes: Iterable[Box] = ()) -> Picture:
    """`picture` in colour, scaled to fit into width x height, in the middle of a panel of that size, with its boxes.

    picture: (H, W) or (H, W, 3). Boxes are drawn after scaling, so that their lines are equally thin everywhere.
    """
    scale = min(width / picture.shape[1], height / picture.shape[0])
    across, down = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(picture, (across, down), interpolation=method), np.uint8)
    if scaled.ndim == 2:
        scaled = np.asarray(cv2.cvtColor(scaled, cv2.COLOR_GRAY2RGB), np.uint8)
    for box in boxes:
        _draw_box(scaled, box, scale)
    panel = blank(width, height, PANEL)
    left, top = (width - across) // 2, (height - down) // 2
    panel[top : top + down, left : left + across] = scaled
    return panel


def reduced(picture: Picture, side: int) -> Picture:
    """`picture` with its longer side at most `side` px; never enlarged."""
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def write_text(canvas: Picture, words: str, x: int, y: int, size: float, colour: Colour, bold: bool = False) -> None:
    """Write `words` with the lower left corner at (x, y). size: 0.4 small, 0.5 text, 0.8 heading."""
    cv2.putText(canvas, words, (x, y), _BOLD if bold else _PLAIN, size, colour, 1, cv2.LINE_AA)


def text_width(words: str, size: float, bold: bool = False) -> int:
    """Pixels that `words` take."""
    return int(cv2.getTextSize(words, _BOLD if bold else _PLAIN, size, 1)[0][0])


def shortened(words: str, width: int, size: float, bold: bool = False) -> str:
    """`words`, cut with dots at the end where they would be wider than `width` px."""
    if text_width(words, size, bold) <= width:
        return words
    while words and text_width(words + "...", size, bold) > width:
        words = words[:-1]
    return words + "..."


def _draw_box(canvas: Picture, box: Box, scale: float) -> None:
    left, top = round(box.x * scale), round(box.y * scale)
    right, bottom = round((box.x + box.width) * scale), round((box.y + box.height) * scale)
    cv2.rectangle(canvas, (left, top), (right, bottom), box.colour, 1, cv2.LINE_AA)
    if box.label:
        _draw_label(canvas, box, left, top, bottom)


def _draw_label(canvas: Picture, box: Box, left: int, top: int, bottom: int) -> None:
    """A filled tag above the box; below it where there is no room above, and never outside of the picture."""
    width, height = text_width(box.label, 0.4) + 6, 15
    left = max(0, min(left, canvas.shape[1] - width))
    base = top if top >= height else min(bottom + height, canvas.shape[0])
    cv2.rectangle(canvas, (left, base - height), (left + width, base), box.colour, cv2.FILLED)
    write_text(canvas, box.label, left + 3, base - 4, 0.4, GROUND)
