"""The good bottle bottom, its light and its belts: what the picture is before a defect and before the sensor."""

import cv2
import numpy as np

from linewatch.sim.canvas import Frame, Grey, Window, axes, blurred, ramp, strokes
from linewatch.sim.parts import Belts, Glass, Glint, Light, WaterMark
from linewatch.sim.scene import Scene

# Radial profile of the lit bottom outside the push-up: (radius, share of the glass's level).
_PROFILE = (
    (0.46, 0.97), (0.66, 1.0), (0.79, 0.94), (0.815, 0.8), (0.83, 1.02), (0.85, 1.22), (0.868, 1.0), (0.88, 0.74),
    (0.9, 0.8), (0.95, 0.66), (0.962, 0.45), (0.975, 0.7), (0.99, 0.4), (1.005, 0.12), (1.03, 0.0), (1.5, 0.0),
)  # fmt: skip
_LUT_STEPS, _LUT_REACH = 1024, 1.6


def disc(glass: Glass, background: float, radius: Grey) -> Grey:
    """The bottom's radial shading in grey levels. radius: (size, size), bottle radii."""
    inner = (
        (0.0, 1.0 + glass.glow), (glass.push_up * 0.45, 1.0 + glass.glow * 0.6), (glass.push_up * 0.85, 0.97),
        (glass.push_up * 0.97, 0.78), (glass.push_up * 1.06, 1.12), (glass.push_up * 1.2, 0.95),
    )  # fmt: skip
    knots = np.array(inner + _PROFILE)
    steps = np.linspace(0, _LUT_REACH, _LUT_STEPS)
    lut = background + np.interp(steps, knots[:, 0], knots[:, 1]) * glass.level
    # A faint seam where the baffle met the mould.
    beside = steps - glass.seam
    lut += 6 * np.exp(-((beside / 0.006) ** 2)) - 8 * np.exp(-(((beside - 0.014) / 0.008) ** 2))
    place = np.minimum(radius * np.float32(_LUT_STEPS / _LUT_REACH), _LUT_STEPS - 1).astype(np.intp)
    return np.asarray(lut.astype(np.float32)[place], np.float32)


def unevenness(glass: Glass, size: int) -> Grey:
    """Slow variation of the glass's thickness: a gain around 1, (size, size)."""
    rng = np.random.default_rng(glass.texture)
    coarse = rng.standard_normal((9, 9), dtype=np.float32)
    field = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(1 + field * np.float32(glass.unevenness), np.float32)


def illumination(light: Light, frame: Frame) -> Grey:
    """Gain of the light over the picture: gradient, hot spot and vignette, (size, size)."""
    x, y = axes(frame.size)
    u, v = (x - np.float32(frame.x)) / np.float32(frame.radius), (y - np.float32(frame.y)) / np.float32(frame.radius)
    hot_x, hot_y = np.exp(-(((u - light.hot_x) / 0.5) ** 2)), np.exp(-(((v - light.hot_y) / 0.5) ** 2))
    edge_x, edge_y = (2 * x / frame.size - 1) ** 2, (2 * y / frame.size - 1) ** 2
    across = 1 + light.gradient_x * u - 0.5 * light.vignette * edge_x
    down = light.gradient_y * v - 0.5 * light.vignette * edge_y
    return np.asarray((across + down) + np.float32(light.hot) * (hot_x * hot_y), np.float32)


def add_glint(picture: Grey, glint: Glint, frame: Frame) -> None:
    """Add one highlight in place: a bright oval without any dark rim."""
    centre = np.array([frame.from_camera(glint.x, glint.y)])
    window = Window.around(centre, 3 * glint.length * frame.radius + 3, frame.size)
    x, y = window.axes()
    u, v = x - np.float32(centre[0, 0]), y - np.float32(centre[0, 1])
    c, s = np.float32(np.cos(glint.angle)), np.float32(np.sin(glint.angle))
    along, across = (u * c + v * s) / (glint.length * frame.radius), (v * c - u * s) / (glint.width * frame.radius)
    window.of(picture)[:] += np.float32(glint.strength) * np.exp(-0.5 * (along**2 + across**2)).astype(np.float32)


def add_water(picture: Grey, mark: WaterMark, frame: Frame) -> None:
    """Add the faint soft rim of a dried drop in place."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    oval = np.stack([np.cos(turn), mark.aspect * np.sin(turn)], axis=1) * mark.radius * frame.radius
    c, s = np.cos(mark.angle), np.sin(mark.angle)
    outline = oval @ np.array([[c, s], [-s, c]]) + frame.from_camera(mark.x, mark.y)
    window = Window.around(outline, 8 * frame.scale, frame.size)
    rim = strokes(window, [outline], 4 * frame.scale, closed=True)
    window.of(picture)[:] += blurred(rim, 2 * frame.scale) * np.float32(mark.strength)


def grip(picture: Grey, belts: Belts, frame: Frame) -> None:
    """Lay the two belts over the picture in place."""
    x, _ = axes(frame.size)
    for side, reach, phase in ((-1, belts.left, belts.phase_left), (1, belts.right, belts.phase_right)):
        edge = frame.x + side * reach * frame.radius
        # 0 on the bottle's side of the belt's edge, growing into the belt, in px.
        depth = side * (x[0] - np.float32(edge))
        inside = np.flatnonzero(depth > -2 * frame.scale)
        if inside.size:
            columns = slice(int(inside[0]), int(inside[-1]) + 1)
            cover = ramp(depth[columns], -1.5 * frame.scale, 1.0 * frame.scale)[None, :]
            belt = _belt(belts, depth[columns], phase, frame)
            picture[:, columns] += (belt - picture[:, columns]) * cover


def _belt(belts: Belts, depth: Grey, phase: float, frame: Frame) -> Grey:
    """Ribbed rubber: (size, columns) grey levels; the worn edge is bright."""
    _, y = axes(frame.size)
    ribs = np.sin(2 * np.pi * (y / np.float32(belts.pitch * frame.radius) + np.float32(phase)))
    worn = np.exp(-((depth / np.float32(4 * frame.scale)) ** 2)) * np.float32(34)
    return np.asarray(np.float32(belts.level) + 12 * np.clip(2.5 * ribs, -1, 1) + worn[None, :], np.float32)


def bottle(scene: Scene, frame: Frame, radius: Grey, relief: Grey) -> Grey:
    """The good glass under flat light: shading, embossing, unevenness and water marks."""
    picture = disc(scene.glass, scene.background, radius) * unevenness(scene.glass, frame.size)
    picture += relief
    for mark in scene.water:
        add_water(picture, mark, frame)
    return picture
