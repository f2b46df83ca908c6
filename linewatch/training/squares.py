"""Square cut-outs of pictures with their boxes: cutting, turning, and which boxes still show."""

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
MIN_VISIBLE = 0.4  # a box cut by the edge counts while so much of it shows


def cut(pixels: Pixels, left: int, top: int, side: int) -> Pixels:
    """Square of `side` px; what lies outside the picture is black."""
    height, width = pixels.shape
    out = np.zeros((side, side), np.uint8)
    y0, y1, x0, x1 = max(top, 0), min(top + side, height), max(left, 0), min(left + side, width)
    out[y0 - top : y1 - top, x0 - left : x1 - left] = pixels[y0:y1, x0:x1]
    return out


def visible(boxes: Boxes, labels: Labels, side: int) -> tuple[Boxes, Labels]:
    """Boxes (n, 4) and labels (n,) that lie in the square of `side` px for more than MIN_VISIBLE, clipped to it."""
    clipped = boxes.clip(0, side)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    shown = (clipped[:, 2] - clipped[:, 0]) * (clipped[:, 3] - clipped[:, 1])
    keep = shown > MIN_VISIBLE * area
    return clipped[keep], labels[keep]


def turned(pixels: Pixels, boxes: Boxes, turn: int) -> tuple[Pixels, Boxes]:
    """Square and boxes (n, 4) in one of the eight symmetries, `turn` 0 to 7; 0 leaves them as they are."""
    side = np.float32(pixels.shape[0])
    if turn & 1:
        pixels, boxes = pixels[:, ::-1], np.stack([side - boxes[:, 2], boxes[:, 1], side - boxes[:, 0], boxes[:, 3]], 1)
    if turn & 2:
        pixels, boxes = pixels[::-1], np.stack([boxes[:, 0], side - boxes[:, 3], boxes[:, 2], side - boxes[:, 1]], 1)
    if turn & 4:
        pixels, boxes = pixels.T, boxes[:, [1, 0, 3, 2]]
    return pixels, boxes
