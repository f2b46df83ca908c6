"""How each defect looks. Every drawer changes the picture in place, inside a window around the defect.

Dark parts multiply and bright parts add, so that a defect shows on any tint. A missing point is not drawn here: it is
a mould point that the relief leaves out.
"""

from collections.abc import Callable, Sequence

import numpy as np

from linewatch.sim.canvas import Frame, Grey, Points, Window, areas, blurred, strokes
from linewatch.sim.defect_shapes import Defect, DefectClass


def draw_defect(picture: Grey, defect: Defect, frame: Frame) -> None:
    """Draw one defect in place."""
    drawer = _DRAWERS.get(defect.kind)
    if drawer is None:
        return
    paths = [frame.from_bottle(path) for path in defect.paths]
    window = Window.around(np.concatenate(paths), 10 * frame.scale, frame.size)
    drawer(window.of(picture), window, paths, defect, frame)


def _bubble(patch: Grey, window: Window, paths: Sequence[Points], defect: Defect, frame: Frame) -> None:
    """A gas lens: dark outline, bright rim inside it, one small highlight off centre."""
    outline = paths[0]
    middle = outline.mean(axis=0)
    width = max(defect.width * frame.radius, 1.0)
    dark = strokes(window, [middle + (outline - middle) * 0.94], 1.3 * width, closed=True)
    rim = strokes(window, [middle + (outline - middle) * 0.66], width, closed=True)
    inside = areas(window, [middle + (outline - middle) * 0.6])
    spot = areas(window, [middle + (outline - middle) * 0.2 + (outline[5] - middle) * 0.25])
    patch *= 1 - np.float32(0.32 + 0.35 * defect.contrast) * blurred(dark, 0.5 * frame.scale)
    patch += np.float32(28 + 45 * defect.contrast) * blurred(rim, 0.6 * frame.scale)
    patch += np.float32(8) * inside + np.float32(25 + 40 * defect.contrast) * blurred(spot, 0.6 * frame.scale)


def _stone(patch: Grey, window: Window, paths: Sequence[Points], defect: Defect, frame: Frame) -> None:
    """An opaque grain with sharp edges, in a thin bright halo of strained glass."""
    body = blurred(areas(window, paths), 0.5 * frame.scale)
    halo = np.clip(blurred(body, 2.2 * frame.scale) * 2 - body, 0, 1) * (1 - body)
    level = np.float32(72 - 40 * defect.contrast) + 22 * _grain(patch, defect.grain, 1.0 * frame.scale)
    patch += np.float32(26) * halo
    patch += (level - patch) * np.float32(0.93) * body


def _dirt(patch: Grey, window: Window, paths: Sequence[Points], defect: Defect, frame: Frame) -> None:
    """A soft blotch that swallows light unevenly and keeps the embossing visible through it."""
    body = blurred(areas(window, paths), defect.width * frame.radius)
    cloud = np.clip(0.85 + 0.3 * _grain(patch, defect.grain, 3.0 * frame.scale), 0.45, 1.15)
    patch *= 1 - np.float32(0.32 + 0.28 * defect.contrast) * body * cloud


def _crack(patch: Grey, window: Window, paths: Sequence[Points], defect: Defect, frame: Frame) -> None:
    """A gap that throws light to one side: a dark jagged line with a bright twin beside it."""
    width = max(defect.width * frame.radius, 1.2)
    side = width * np.array([np.cos(defect.angle + 1.2), np.sin(defect.angle + 1.2)])
    # Branches are finer than the trunk.
    dark = np.maximum(strokes(window, paths[:1], width), strokes(window, paths, 0.5 * width))
    glow = strokes(window, [path + side for path in paths], 0.5 * width)
    patch += np.float32(60 + 45 * defect.contrast) * blurred(glow, 0.5 * frame.scale)
    patch *= 1 - np.float32(0.55 + 0.25 * defect.contrast) * blurred(dark, 0.4 * frame.scale)


def _scratch(patch: Grey, window: Window, paths: Sequence[Points], defect: Defect, frame: Frame) -> None:
    """Thin lines of uneven strength, most often bright; faint to medium."""
    lines = blurred(strokes(window, paths, defect.width * frame.radius), 0.5 * frame.scale)
    lines *= np.clip(0.95 + 0.2 * _grain(patch, defect.grain, 4.0 * frame.scale), 0.6, 1.3)
    if defect.bright:
        patch += np.float32(60 + 45 * defect.contrast) * lines
    else:
        patch *= 1 - np.float32(0.45 + 0.25 * defect.contrast) * lines


def _grain(patch: Grey, seed: int, sigma: float) -> Grey:
    """Blotchy noise of unit deviation in the patch's shape."""
    # float64 draws would cost twice the time and be rounded anyway.
    noise = np.random.default_rng(seed).standard_normal(patch.shape, dtype=np.float32)
    soft = blurred(noise, sigma)
    return soft / np.float32(soft.std() + 1e-6)


_Drawer = Callable[[Grey, Window, Sequence[Points], Defect, Frame], None]
_DRAWERS: dict[DefectClass, _Drawer] = {
    "bubble": _bubble,
    "stone": _stone,
    "dirt": _dirt,
    "crack": _crack,
    "scratch": _scratch,
}
