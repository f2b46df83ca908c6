"""Look-alikes: what good parts have by design and what a defect could be taken for.

Holes and islands with nothing else near, put into other parts, in other sizes, and not labelled: they teach what is no
defect. Ours.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations
from linewatch.training.pasting import LEAST_AREA, REACH_PX, TRIES, Patch, grown, place, two_level
from linewatch.training.squares import Boxes, Pixels

_LARGEST_PX = 40  # sides of holes and islands that could be taken for a defect
_SCALE = (0.3, 1.2)  # factor of their sides: another design drills other holes


class LookAlikes:
    """Holes and islands of good parts, by design; drawn one kind as often as the other."""

    def __init__(self, annotations: Annotations, pixels: Sequence[Pixels]) -> None:
        """pixels: (H, W) uint8, in the pictures' order. Raises DatasetError when good pictures have none."""
        good = [image for picture, image in zip(annotations.pictures, pixels, strict=True) if not picture.boxes]
        found = ([s for image in good for s in _lone(two_level(image ^ np.uint8(level)))] for level in (0, 255))
        self._kinds = [kind for kind in found if kind]
        if not self._kinds:
            raise DatasetError("augmentation.look_alikes", "good pictures have no holes or islands of their own")

    def paste(self, pixels: Pixels, boxes: Boxes, count: int, rng: np.random.Generator) -> None:
        """Put up to `count` into `pixels` (S, S), in place, none where `boxes` (n, 4) are."""
        for _ in range(count):
            kind = self._kinds[int(rng.integers(len(self._kinds)))]
            for _ in range(TRIES):
                feature = _scaled(kind[int(rng.integers(len(kind)))], float(rng.uniform(*_SCALE)))
                if (box := place(pixels, boxes, _patch(feature, int(rng.integers(2)) > 0), rng)) is not None:
                    boxes = np.concatenate([boxes, box])
                    break


def _lone(pixels: Pixels) -> list[Pixels]:
    """White pieces of at most _LARGEST_PX px with nothing but black within REACH_PX; 255 where they are."""
    count, pieces, figures, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
    found = []
    for piece in range(1, count):
        x, y, w, h, area = (int(figure) for figure in figures[piece])
        left, top = x - REACH_PX, y - REACH_PX
        inside = left >= 0 and top >= 0 and x + w + REACH_PX <= pixels.shape[1] and y + h + REACH_PX <= pixels.shape[0]
        if not inside or max(w, h) > _LARGEST_PX or area < LEAST_AREA:
            continue
        window = pieces[top : y + h + REACH_PX, left : x + w + REACH_PX]
        shape = np.where(window == piece, np.uint8(255), np.uint8(0))
        if not window[(grown(shape, REACH_PX) > 0) & (shape == 0)].any():
            found.append(shape)
    return found


def _scaled(shape: Pixels, by: float) -> Pixels:
    """A lone piece smaller or larger; at least 3 px remain."""
    piece = shape[REACH_PX:-REACH_PX, REACH_PX:-REACH_PX]
    height, width = (max(3, round(side * by)) for side in piece.shape)
    resized = cv2.resize(piece, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
    return np.pad(two_level(resized), REACH_PX)


def _patch(shape: Pixels, island: bool) -> Patch:
    """A lone piece as a patch: white in black, or black in white. The square is filled up with ground."""
    side, (height, width) = max(shape.shape), shape.shape
    square = np.pad(shape, ((0, side - height), (0, side - width)))
    ground = np.full_like(square, 255 if island else 0)
    box = np.array([[REACH_PX, REACH_PX, width - REACH_PX, height - REACH_PX]], np.float32)
    return Patch(ground, ground ^ square, square, box)
