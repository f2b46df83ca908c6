"""The picture being drawn: its scale, its frame and the small tools every drawer needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.sim.defect_shapes import Path
from linewatch.sim.parts import Pose

Grey = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]

# cv2 takes coordinates in 1/16 px: drawing is smooth below a pixel.
_SHIFT = 4
REFERENCE_SIZE = 448


@dataclass(frozen=True, slots=True)
class Frame:
    """The bottle in a picture of size x size px. x, y: of its axis, px. radius: px. rotation: radians.

    scale: px per px of the 448 reference, for everything that is as wide as the optics and not as the bottle.
    """

    size: int
    x: float
    y: float
    radius: float
    rotation: float
    scale: float

    @classmethod
    def of(cls, pose: Pose, size: int) -> "Frame":
        """The frame of a bottle that stands at `pose`."""
        return cls(size, pose.x * size, pose.y * size, pose.radius * size, pose.rotation, size / REFERENCE_SIZE)

    def from_bottle(self, path: Path) -> Points:
        """(n, 2) px in the picture of points in the bottle frame."""
        c, s = np.cos(self.rotation), np.sin(self.rotation)
        turned: Points = np.asarray(path, np.float64) @ np.array([[c, s], [-s, c]])
        return turned * self.radius + (self.x, self.y)

    def from_camera(self, x: float, y: float) -> tuple[float, float]:
        """Px of a point given in bottle radii in the camera frame (not turned with the bottle)."""
        return self.x + x * self.radius, self.y + y * self.radius


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of the picture: rows top..bottom, columns left..right (half open)."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def around(cls, points: Points, margin: float, size: int) -> "Window":
        """The window that holds all points (px) and `margin` px more, cut at the picture's edge."""
        low = np.clip(np.floor(points.min(axis=0) - margin), 0, size - 1).astype(int)
        high = np.clip(np.ceil(points.max(axis=0) + margin) + 1, 1, size).astype(int)
        return cls(int(low[0]), int(low[1]), int(high[0]), int(high[1]))

    def of(self, picture: Grey) -> Grey:
        """A view of the picture's pixels in this window."""
        return picture[self.top : self.bottom, self.left : self.right]

    def empty(self) -> Mask:
        """A black mask of this window's shape."""
        return np.zeros((self.bottom - self.top, self.right - self.left), np.uint8)

    def axes(self) -> tuple[Grey, Grey]:
        """Column (1, w) and row (h, 1) coordinates of the pixels, px of the picture."""
        x, y = axes(self.right)[0], axes(self.bottom)[1]
        return x[:, self.left :], y[self.top :]

    def fixed(self, points: Points) -> npt.NDArray[np.int32]:
        """Points in px of the picture as cv2's fixed point coordinates of this window."""
        local = (points - (self.left, self.top)) * (1 << _SHIFT)
        return np.round(local).astype(np.int32)


@lru_cache(maxsize=8192)
def axes(size: int) -> tuple[Grey, Grey]:
    """Column (1, size) and row (size, 1) coordinates of the pixel centres, px."""
    line = np.arange(size, dtype=np.float32)
    line.setflags(write=False)
    return line[None, :], line[:, None]


def strokes(window: Window, lines: Sequence[Points], thickness: float, closed: bool = False) -> Grey:
    """Coverage 0 .. 1 of lines (px of the picture) drawn `thickness` px wide, at least one."""
    mask = window.empty()
    fixed = [window.fixed(line) for line in lines]
    cv2.polylines(mask, fixed, closed, 255, max(round(thickness), 1), cv2.LINE_AA, _SHIFT)
    return as_grey(mask)


def areas(window: Window, outlines: Sequence[Points]) -> Grey:
    """Coverage 0 .. 1 of filled outlines (px of the picture)."""
    mask = window.empty()
    for outline in outlines:
        cv2.fillPoly(mask, [window.fixed(outline)], 255, cv2.LINE_AA, _SHIFT)
    return as_grey(mask)


def dots(window: Window, centres: Points, radius: float, strength: npt.NDArray[np.float64]) -> Grey:
    """Coverage 0 .. strength of filled circles of `radius` px at centres (n, 2)."""
    mask = window.empty()
    for (x, y), level in zip(window.fixed(centres).tolist(), strength, strict=True):
        cv2.circle(mask, (x, y), round(radius * (1 << _SHIFT)), float(255 * level), -1, cv2.LINE_AA, _SHIFT)
    return as_grey(mask)


def as_grey(mask: Mask) -> Grey:
    """0 .. 255 of uint8 as 0 .. 1 of float32."""
    return mask.astype(np.float32) * np.float32(1 / 255)


def blurred(picture: Grey, sigma: float) -> Grey:
    """Gaussian blur of `sigma` px; nothing happens below a fifth of a pixel."""
    if sigma < 0.2:
        return picture
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def ramp(values: Grey, low: float, high: float) -> Grey:
    """0 below `low`, 1 above `high`, linear between."""
    return np.asarray(np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1), np.float32)
