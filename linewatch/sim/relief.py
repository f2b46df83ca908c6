"""Everything embossed: letters, knurling and mould points, drawn as one height map and lit from one side."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.sim.canvas import Frame, Grey, Window, as_grey, blurred, dots, strokes
from linewatch.sim.defect_shapes import MouldRing
from linewatch.sim.parts import Embossing, Knurling
from linewatch.sim.scene import Scene

# The unrolled bottom that letters are written on: rows run inwards between two radii, columns run with the angle.
_STRIP_OUTER, _STRIP_INNER = 0.82, 0.1
_STRIP_ROWS, _STRIP_COLUMNS = 160, 1024


def embossing(scene: Scene, frame: Frame, radius: Grey, angle: Grey) -> Grey:
    """Grey levels that all embossing adds to the flat glass.

    radius, angle: (size, size) polar coordinates of each pixel in the bottle frame, bottle radii and 0 .. 2 pi.
    """
    whole = Window(0, 0, frame.size, frame.size)
    height = _letters(scene.texts, radius, angle)
    height += _points(scene, frame, whole)
    height += _marks(scene.knurling, frame, whole)
    return _lit(blurred(height, 1.1 * frame.scale), scene.light.direction, frame.scale) * np.float32(scene.glass.relief)


def _lit(height: Grey, direction: float, scale: float) -> Grey:
    """Slope towards the light, plus a little of the height itself: crowns gather light."""
    dx, dy = np.cos(direction), np.sin(direction)
    along_x = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32) / 4
    kernel = (dx * along_x + dy * along_x.T) * np.float32(scale)
    kernel[1, 1] += 0.28
    return np.asarray(cv2.filter2D(height, cv2.CV_32F, kernel.astype(np.float32)), np.float32)


def _points(scene: Scene, frame: Frame, whole: Window) -> Grey:
    """The mould points that are there."""
    ring: MouldRing = scene.ring
    missing = {d.point for d in scene.defects}
    present = [point for point in range(len(ring.depth)) if point not in missing]
    centres = frame.from_bottle(tuple(ring.position(point) for point in present))
    return dots(whole, centres, ring.dot_radius * frame.radius, np.array([ring.depth[point] for point in present]))


def _marks(knurling: Knurling, frame: Frame, whole: Window) -> Grey:
    """Short radial marks of the bearing surface."""
    turn = np.linspace(0, 2 * np.pi, knurling.count, endpoint=False) + frame.rotation
    ends = []
    for reach, lean in ((knurling.inner, 0.0), (knurling.outer, knurling.slant)):
        ends.append(np.stack([np.cos(turn + lean), np.sin(turn + lean)], axis=1) * reach * frame.radius)
    lines = np.stack(ends, axis=1) + np.array([frame.x, frame.y])
    return strokes(whole, list(lines), 2.6 * frame.scale) * np.float32(0.7)


def _letters(texts: tuple[Embossing, ...], radius: Grey, angle: Grey) -> Grey:
    """Text written on the unrolled bottom and rolled up again."""
    strip = np.zeros((_STRIP_ROWS, _STRIP_COLUMNS), np.uint8)
    for text in texts:
        _write(strip, text)
    rows = (np.float32(_STRIP_OUTER) - radius) * np.float32(_STRIP_ROWS / (_STRIP_OUTER - _STRIP_INNER))
    columns = angle * np.float32(_STRIP_COLUMNS / (2 * np.pi))
    # The first columns once more at the end: no seam where the angle starts again.
    wrapped = np.concatenate([strip, strip[:, :2]], axis=1)
    return as_grey(np.asarray(cv2.remap(wrapped, columns, rows, cv2.INTER_LINEAR), np.uint8))


def _write(strip: npt.NDArray[np.uint8], text: Embossing) -> None:
    """Write one text on the strip, in place, across the seam if need be."""
    height = round(text.height * _STRIP_ROWS / (_STRIP_OUTER - _STRIP_INNER))
    width = round(text.arc * _STRIP_COLUMNS / (2 * np.pi))
    top = round((_STRIP_OUTER - text.radius) * _STRIP_ROWS / (_STRIP_OUTER - _STRIP_INNER) - height / 2)
    word = cv2.resize(_word(text.text), (width, height), interpolation=cv2.INTER_AREA)
    columns = (round(text.start * _STRIP_COLUMNS / (2 * np.pi)) + np.arange(width)) % _STRIP_COLUMNS
    strip[top : top + height, columns] = word


@lru_cache(maxsize=256)
def _word(text: str) -> npt.NDArray[np.uint8]:
    """The text in white on black, cut to its width."""
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.4, 4)
    page = np.zeros((height + base + 4, width + 8), np.uint8)
    cv2.putText(page, text, (4, height + 2), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 255, 4, cv2.LINE_AA)
    return page
