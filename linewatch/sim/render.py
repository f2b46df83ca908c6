"""Pictures of bottle bottoms with known truth: `render(describe(seed, index))` is one part on the line."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.sim.canvas import Frame, Grey, axes, blurred
from linewatch.sim.defect_shapes import Defect, DefectClass
from linewatch.sim.defects import draw_defect
from linewatch.sim.glass import add_glint, bottle, grip, illumination
from linewatch.sim.relief import embossing
from linewatch.sim.scene import Scene

# How far a defect's edge shows beyond its geometry, px at 448: half the stroke, its blur and the lens's.
_SPREAD: dict[DefectClass, float] = {
    "bubble": 2.7, "stone": 1.5, "crack": 2.6, "scratch": 1.9, "dirt": 2.6, "missing_point": 0.0,
}  # fmt: skip
# A box thinner than this, px at 448, would be lost by any detector's grid.
_LEAST_SIDE = 8.0


@dataclass(frozen=True, slots=True)
class Truth:
    """One defect's box. x, y: left top corner; w, h: extent; px of the picture, a pixel's centre at its index + 0.5."""

    name: DefectClass
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Rendered:
    """pixels: (size, size) uint8 grey, C-contiguous. truth: one box per defect, in the scene's order."""

    pixels: npt.NDArray[np.uint8]
    truth: tuple[Truth, ...]


def render(scene: Scene, size: int = 448) -> Rendered:
    """Photograph the scene. size: px of the picture's side. Same scene and size, same bytes."""
    picture = render_clean(scene, size)
    noise = np.random.default_rng(scene.noise_seed).standard_normal((size, size), dtype=np.float32)
    picture += noise * np.float32(scene.noise)
    pixels = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return Rendered(np.ascontiguousarray(pixels), truth_of(scene, size))


def render_clean(scene: Scene, size: int = 448) -> Grey:
    """What the lens throws on the sensor, before noise: (size, size) float32 grey levels, not clipped."""
    frame = Frame.of(scene.pose, size)
    radius, angle = _polar(frame)
    picture = bottle(scene, frame, radius, embossing(scene, frame, radius, angle))
    for defect in scene.defects:
        draw_defect(picture, defect, frame)
    picture *= illumination(scene.light, frame)
    for glint in scene.glints:
        add_glint(picture, glint, frame)
    grip(picture, scene.belts, frame)
    return blurred(picture, scene.blur * frame.scale)


def truth_of(scene: Scene, size: int = 448) -> tuple[Truth, ...]:
    """The boxes of the scene's defects from their geometry alone; equal to those of `render`."""
    frame = Frame.of(scene.pose, size)
    return tuple(_box(defect, frame) for defect in scene.defects)


def _box(defect: Defect, frame: Frame) -> Truth:
    if defect.kind == "missing_point":
        # A square that does not turn with the bottle.
        centre = frame.from_bottle(((defect.x, defect.y),))[0]
        low, high = centre - defect.size * frame.radius, centre + defect.size * frame.radius
    else:
        points = np.concatenate([frame.from_bottle(path) for path in defect.paths])
        low, high = points.min(axis=0), points.max(axis=0)
    spread = _SPREAD[defect.kind] * frame.scale
    middle, extent = (low + high) / 2, np.maximum(high - low + 2 * spread, _LEAST_SIDE * frame.scale)
    # Drawing counts from pixel centres, boxes from pixel edges.
    x, y = middle - extent / 2 + 0.5
    return Truth(defect.kind, float(x), float(y), float(extent[0]), float(extent[1]))


def _polar(frame: Frame) -> tuple[Grey, Grey]:
    """Polar coordinates of each pixel in the bottle frame: bottle radii, and radians in 0 .. 2 pi; (size, size)."""
    x, y = axes(frame.size)
    ones = np.ones((frame.size, frame.size), np.float32)
    u = ones * ((x - np.float32(frame.x)) / np.float32(frame.radius))
    v = ones * ((y - np.float32(frame.y)) / np.float32(frame.radius))
    c, s = np.float32(np.cos(frame.rotation)), np.float32(np.sin(frame.rotation))
    radius, angle = cv2.cartToPolar(u * c + v * s, v * c - u * s)
    return np.asarray(radius, np.float32), np.asarray(angle, np.float32)
