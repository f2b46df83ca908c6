"""Thinning: pieces that no defect touches are taken away, whole, so that each crop is of another, barer design."""

import cv2
import numpy as np

from linewatch.training.squares import Boxes, Pixels

_TOUCHES_PX = 2  # a piece so near to a defect's box belongs to it


def thin_out(pixels: Pixels, boxes: Boxes, rng: np.random.Generator) -> None:
    """Take black pieces or white ones from `pixels` (S, S), 0 or 255, in place; all that `boxes` (n, 4) touch stay.

    How many stay is drawn first: from all to none.
    """
    level = np.uint8(255 * int(rng.integers(2)))
    count, pieces = cv2.connectedComponents((pixels == level).astype(np.uint8), connectivity=8)
    gone = np.greater(rng.random(count), rng.random())
    gone[0] = False  # 0 is the other level
    for x1, y1, x2, y2 in boxes:
        left, top = max(0, int(x1) - _TOUCHES_PX), max(0, int(y1) - _TOUCHES_PX)
        gone[pieces[top : int(np.ceil(y2)) + _TOUCHES_PX, left : int(np.ceil(x2)) + _TOUCHES_PX]] = False
    pixels[gone[pieces]] = 255 - level
