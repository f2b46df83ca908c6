"""Fitting a picture into the network's square: the same geometry that models are evaluated with.

The picture sits in the upper left corner, so that boxes come back by one division; it is shrunk or grown until its
longer side fills the square, its aspect ratio kept, and the rest is black. A picture of the square's size is copied.
"""

import cv2
import numpy as np

from linewatch.pictures.types import Picture


def scale_into(height_px: int, width_px: int, side_px: int) -> float:
    """Factor from the picture's pixels to the square's."""
    return side_px / max(height_px, width_px)


def letterbox(picture: Picture, side_px: int) -> Picture:
    """(channels, side, side) copy of an (H, W) or (H, W, 3) picture."""
    height, width = picture.shape[:2]
    scale = scale_into(height, width, side_px)
    if scale != 1.0:
        method = cv2.INTER_AREA if scale < 1.0 else cv2.INTER_LINEAR
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)
    channels = picture if picture.ndim == 3 else picture[:, :, None]
    square = np.zeros((channels.shape[2], side_px, side_px), np.uint8)
    square[:, : channels.shape[0], : channels.shape[1]] = channels.transpose(2, 0, 1)
    return square
