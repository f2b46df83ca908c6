"""Pictures to compare two runtimes on: given ones, or drawn ones when there are none."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from linewatch.inspection.letterbox import letterbox
from linewatch.pictures.folder import list_pictures
from linewatch.pictures.read import read_picture
from linewatch.pictures.types import Picture

MOST = 20


def given(folder: Path, side_px: int) -> Iterator[Picture]:
    """At most 20 pictures of the folder, evenly chosen, (3, side, side). Raises StorageError or PictureError."""
    paths = list_pictures(folder)
    for path in paths[:: -(-len(paths) // MOST)]:
        yield letterbox(read_picture(path, grey=False), side_px)


def drawn(side_px: int, count: int = 8) -> Iterator[Picture]:
    """Rings, lines and blots on uneven noise, (3, side, side); the same ones every time."""
    chance = np.random.default_rng(0)
    for _ in range(count):
        top, bottom = chance.uniform(40, 220, 2).tolist()
        ground = np.linspace(top, bottom, side_px)[:, None] + chance.normal(0, 6, (side_px, side_px))
        picture = np.clip(ground, 0, 255).astype(np.uint8)
        for _ in range(12):
            (x, y, x2, y2), grey = chance.integers(0, side_px, 4).tolist(), int(chance.integers(0, 256))
            cv2.circle(picture, (x, y), int(chance.integers(2, side_px // 6)), grey, int(chance.choice([-1, 2])))
            cv2.line(picture, (x, y), (x2, y2), grey, int(chance.integers(1, 4)))
        yield np.repeat(picture[None], 3, axis=0)
