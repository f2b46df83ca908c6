"""Pasting into black and white pictures: a patch goes where a picture looks, all around, as its own picture did."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.training.squares import Boxes, Pixels, turned

NEAR_PX = 3  # so far around what is pasted the picture must look alike
SEAM_PX = 2  # so far around a defect its own part is pasted too, so that no frayed edge is left over
REACH_PX = NEAR_PX + SEAM_PX  # margin of a patch's square
TRIES = 8  # draws of a patch of one kind, until one has a place
LEAST_AREA = 12  # px; less than that could not be seen
_UNLIKE = 0.06  # share of those pixels that may differ: edges of one part are not another's to the pixel


@dataclass(frozen=True)
class Patch:
    """What is pasted, in a square of S px. around: (S, S) without it; changed: (S, S) with it; 0 or 255.

    shape: (S, S), 255 where it is pasted. box: (1, 4) x1, y1, x2, y2 in px of the square.
    """

    around: Pixels
    changed: Pixels
    shape: Pixels
    box: Boxes


def place(pixels: Pixels, boxes: Boxes, patch: Patch, rng: np.random.Generator) -> Boxes | None:
    """Put `patch`, turned, into a place that looks like its own. Returns its box (1, 4) there; None: no place."""
    patch = _turned(patch, int(rng.integers(8)))
    side = len(patch.shape)
    if side > len(pixels):
        return None
    unlike = _unlike(pixels, patch)
    for x1, y1, x2, y2 in boxes - patch.box[0][[2, 3, 0, 1]]:  # corners at which the two boxes would overlap
        unlike[_range(y1, y2), _range(x1, x2)] = np.inf
    rows, columns = np.nonzero(unlike <= _UNLIKE)
    if not len(rows):
        return None
    which = int(rng.integers(len(rows)))
    top, left = int(rows[which]), int(columns[which])
    np.copyto(pixels[top : top + side, left : left + side], patch.changed, where=patch.shape > 0)
    placed: Boxes = patch.box + np.array([left, top, left, top], np.float32)
    return placed


def _range(first: float, last: float) -> slice:
    return slice(max(0, int(np.floor(first))), max(0, int(np.ceil(last)) + 1))


def _unlike(pixels: Pixels, patch: Patch) -> npt.NDArray[np.float32]:
    """Share of the pixels at and around the patch that differ, for each upper left corner in `pixels`."""
    cared = grown(patch.shape, NEAR_PX) // 255
    wrong = cv2.matchTemplate(pixels // 255, patch.around // 255, cv2.TM_SQDIFF, mask=cared)
    share: npt.NDArray[np.float32] = wrong / np.float32(cared.sum())
    return share


def _turned(patch: Patch, turn: int) -> Patch:
    around, box = turned(patch.around, patch.box, turn)
    changed, _ = turned(patch.changed, patch.box, turn)
    shape, _ = turned(patch.shape, patch.box, turn)
    return Patch(np.ascontiguousarray(around), changed, np.ascontiguousarray(shape), box)


def grown(shape: Pixels, by: int) -> Pixels:
    """The shape (S, S), 0 or 255, with everything within `by` px."""
    return cv2.dilate(shape, np.ones((2 * by + 1, 2 * by + 1), np.uint8)).astype(np.uint8, copy=False)


def two_level(pixels: Pixels) -> Pixels:
    """Pixels as black (0) and white (255) alone."""
    return np.where(pixels > 127, np.uint8(255), np.uint8(0))
