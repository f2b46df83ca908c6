"""What can be wrong with a bottle bottom, as seeded geometry: no pixels here.

All lengths are in units of the bottle radius and all positions in the bottle frame: origin at the bottle's axis,
x to the right and y down when the bottle's rotation is zero.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

DefectClass = Literal["bubble", "stone", "crack", "scratch", "dirt", "missing_point"]
CLASSES: tuple[DefectClass, ...] = get_args(DefectClass)

Path = tuple[tuple[float, float], ...]
Points = npt.NDArray[np.float64]

# Beyond this the heel ring and the belts hide the glass.
_OUTER_LIMIT = 0.84
# Clear glass between two defects, so that each box holds one defect only.
_CLEARANCE = 0.07
_PLACEMENT_TRIES = 60
MISSING_BOX_SCALE = 1.6


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect of one bottle bottom.

    x, y: centre. size: half the largest extent. angle: of the long axis, radians. contrast: 0.. 1 of the class's range.
    bright: a scratch that scatters light (True) or blocks it. width: of the strokes, or of an area's soft edge.
    paths: closed outlines of an area (bubble, stone, dirt) or open strokes (crack, scratch); a missing point has the
    square where it should be. grain: seed of the fine texture. point: index in the mould ring, -1 if not of it.
    """

    kind: DefectClass
    x: float
    y: float
    size: float
    angle: float
    contrast: float
    bright: bool
    width: float
    paths: tuple[Path, ...]
    grain: int
    point: int = -1


@dataclass(frozen=True, slots=True)
class MouldRing:
    """The ring of embossed mould points. depth: relative relief of each point, 0.7 .. 1.

    radius: of the ring. dot_radius: of one point. start: angle of point 0, radians, bottle frame.
    """

    radius: float
    dot_radius: float
    start: float
    depth: tuple[float, ...]

    def position(self, point: int) -> tuple[float, float]:
        """Centre of mould point number `point`, bottle frame."""
        angle = self.start + 2 * np.pi * point / len(self.depth)
        return float(self.radius * np.cos(angle)), float(self.radius * np.sin(angle))


def sample_defects(rng: np.random.Generator, count: int, ring: MouldRing) -> tuple[Defect, ...]:
    """Draw up to `count` defects that do not touch each other (fewer only where no free glass is left)."""
    kinds = [CLASSES[i] for i in rng.integers(len(CLASSES), size=count)]
    found: list[Defect] = []
    # Mould points cannot move out of the way: they choose first.
    for kind in sorted(kinds, key=lambda k: k != "missing_point"):
        defect = _missing_point(rng, ring) if kind == "missing_point" else _shape(rng, kind)
        placed = _place(rng, defect, found)
        if placed is not None:
            found.append(placed)
    return tuple(found)


def _place(rng: np.random.Generator, defect: Defect, others: list[Defect]) -> Defect | None:
    """Move the defect to free glass; None when there is none (a mould point stays where it is or is given up)."""
    for _ in range(_PLACEMENT_TRIES):
        if defect.point < 0:
            distance, angle = 0.8 * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
            x, y = float(distance * np.cos(angle)), float(distance * np.sin(angle))
        else:
            x, y = defect.x, defect.y
        inside = np.hypot(x, y) + defect.size < _OUTER_LIMIT
        if inside and all(np.hypot(x - o.x, y - o.y) > defect.size + o.size + _CLEARANCE for o in others):
            return _moved(defect, x - defect.x, y - defect.y)
    return None


def _moved(defect: Defect, dx: float, dy: float) -> Defect:
    paths = tuple(tuple((px + dx, py + dy) for px, py in path) for path in defect.paths)
    return replace(defect, x=defect.x + dx, y=defect.y + dy, paths=paths)


def _missing_point(rng: np.random.Generator, ring: MouldRing) -> Defect:
    point = int(rng.integers(len(ring.depth)))
    x, y = ring.position(point)
    half = ring.dot_radius * MISSING_BOX_SCALE
    corners = tuple((x + dx * half, y + dy * half) for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1)))
    return Defect("missing_point", x, y, half, 0.0, ring.depth[point], False, 0.0, (corners,), 0, point)


def _shape(rng: np.random.Generator, kind: DefectClass) -> Defect:
    """Draw a defect of this class, centred on the bottle's axis."""
    angle = float(rng.uniform(0, 2 * np.pi))
    lines, width = _SHAPES[kind](rng)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = [line @ rotation for line in lines]
    every = np.concatenate(turned)
    middle = (every.min(axis=0) + every.max(axis=0)) / 2
    size = float(np.hypot(*(every - middle).T).max())
    paths = tuple(tuple((float(x), float(y)) for x, y in line - middle) for line in turned)
    contrast, grain = float(rng.random()), int(rng.integers(2**31))
    return Defect(kind, 0.0, 0.0, size, angle, contrast, bool(rng.random() < 0.65), width, paths, grain)


def _bubble(rng: np.random.Generator) -> tuple[list[Points], float]:
    """Seed or blister: an ellipse; blisters are larger and longer."""
    semi = rng.uniform(0.042, 0.1)
    aspect = rng.uniform(0.72, 1.0) if rng.random() < 0.6 else rng.uniform(0.5, 0.75)
    # A narrow seed under 12 px could not be told from noise.
    minor = max(semi * aspect, 0.036)
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return [np.stack([semi * np.cos(turn), minor * np.sin(turn)], axis=1)], float(rng.uniform(0.008, 0.013))


def _stone(rng: np.random.Generator) -> tuple[list[Points], float]:
    """Unmelted grain: a compact angular outline."""
    return [_blob(rng, rng.uniform(0.036, 0.08), rng.uniform(0.7, 1.0), 18, 0.09, 0.1)], 0.006


def _dirt(rng: np.random.Generator) -> tuple[list[Points], float]:
    """Grease or dust: one soft blotch and up to three specks beside it."""
    radius = rng.uniform(0.05, 0.12)
    blobs = [_blob(rng, radius, rng.uniform(0.5, 1.0), 40, 0.16, 0.0)]
    for _ in range(int(rng.integers(0, 4))):
        angle, away = rng.uniform(0, 2 * np.pi), radius * rng.uniform(0.9, 1.25)
        speck = _blob(rng, rng.uniform(0.014, 0.024), 0.8, 12, 0.1, 0.0)
        blobs.append(speck + away * np.array([np.cos(angle), np.sin(angle)]))
    return blobs, float(rng.uniform(0.008, 0.014))


def _blob(rng: np.random.Generator, radius: float, aspect: float, corners: int, wave: float, jitter: float) -> Points:
    """Closed irregular outline: (corners, 2), low harmonics of amplitude `wave` and a jitter of each corner."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    swell = sum(wave * rng.normal() / (k - 1) * np.cos(k * turn + rng.uniform(0, 6.3)) for k in range(2, 6))
    reach = radius * np.clip(1 + swell + jitter * rng.uniform(-1, 1, corners), 0.55, 1.5)
    return np.stack([reach * np.cos(turn), aspect * reach * np.sin(turn)], axis=1)


def _crack(rng: np.random.Generator) -> tuple[list[Points], float]:
    """Check or crack: a jagged walk with up to three branches."""
    trunk = _walk(rng, rng.uniform(0.2, 0.55), rng.uniform(0.18, 0.5))
    lines = [trunk]
    for _ in range(int(rng.integers(0, 4))):
        turn = rng.choice([-1.0, 1.0]) * rng.uniform(0.4, 1.0)
        branch = _walk(rng, rng.uniform(0.06, 0.16), 0.4)
        spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
        lines.append(branch @ spin + trunk[int(rng.integers(2, len(trunk) - 1))])
    return lines, float(rng.uniform(0.007, 0.012))


def _walk(rng: np.random.Generator, length: float, wildness: float) -> Points:
    """Jagged open line along x: (n, 2), a corner about every 0.03."""
    steps = max(int(length / 0.03), 4)
    heading = rng.normal(0, wildness, steps) + np.cumsum(rng.normal(0, wildness / 4, steps))
    stride = length / steps * rng.uniform(0.6, 1.4, steps)
    walk = np.stack([stride * np.cos(heading), stride * np.sin(heading)], axis=1).cumsum(axis=0)
    return np.concatenate([np.zeros((1, 2)), walk])


def _scratch(rng: np.random.Generator) -> tuple[list[Points], float]:
    """Handling scratch: one to four nearly parallel, slightly bent lines."""
    length, bend = rng.uniform(0.2, 0.6), rng.uniform(-0.12, 0.12)
    along = np.linspace(-0.5, 0.5, 24)
    lines = []
    for number in range(int(rng.integers(1, 5))):
        reach = length * (1.0 if number == 0 else rng.uniform(0.55, 1.0))
        shift = 0.0 if number == 0 else rng.uniform(-0.2, 0.2) * (length - reach)
        x = along * reach + shift
        y = 4 * bend * length * along**2 + number * rng.uniform(0.018, 0.03) + rng.normal(0, 0.02) * x
        lines.append(np.stack([x, y], axis=1))
    return lines, float(rng.uniform(0.004, 0.0085))


_SHAPES: dict[DefectClass, Callable[[np.random.Generator], tuple[list[Points], float]]] = {
    "bubble": _bubble,
    "stone": _stone,
    "crack": _crack,
    "scratch": _scratch,
    "dirt": _dirt,
}
