"""Pixels that do not measure light get the median of their good neighbours."""

import numpy as np

from linewatch.pictures.calibration import Calibration
from linewatch.pictures.types import Picture

_NEIGHBOURS = 8


class BadPixels:
    """The hot and dead pixels of one camera, with where each takes its value from."""

    def __init__(self, calibration: Calibration) -> None:
        bad = sorted({*calibration.hot_pixels, *calibration.dead_pixels})
        self._at = np.array(bad, np.intp).reshape(-1, 2)  # (n, 2): x, y
        self._from = np.array([_sources(pixel, set(bad), calibration.size_px) for pixel in bad], np.intp)  # (n, 8, 2)

    def mended(self, picture: Picture) -> Picture:
        """`picture`, (H, W) or (H, W, 3) of the sensor, with its bad pixels filled; itself without any."""
        if not len(self._at):
            return picture
        whole = picture.copy()
        values = picture[self._from[:, :, 1], self._from[:, :, 0]]  # (n, 8) or (n, 8, 3)
        whole[self._at[:, 1], self._at[:, 0]] = np.median(values, axis=1).astype(np.uint8)
        return whole


def _sources(pixel: tuple[int, int], bad: set[tuple[int, int]], size_px: tuple[int, int]) -> list[tuple[int, int]]:
    """Eight good pixels near `pixel`, the nearest ring first and over again where there are fewer."""
    x, y = pixel
    for reach in range(1, max(size_px)):
        ring = [
            (x + dx, y + dy)
            for dy in range(-reach, reach + 1)
            for dx in range(-reach, reach + 1)
            if max(abs(dx), abs(dy)) == reach and 0 <= x + dx < size_px[0] and 0 <= y + dy < size_px[1]
        ]
        good = [found for found in ring if found not in bad]
        if good:
            return [good[n * len(good) // _NEIGHBOURS % len(good)] for n in range(_NEIGHBOURS)]
    return [pixel] * _NEIGHBOURS
