"""A seeded description of one bottle bottom: everything the picture shows, before any pixel.

Who knows (seed, index) knows the truth: `describe` reads no clock and no global state, and part 7 does not depend on
part 6. Lengths are in units of the bottle radius unless a field says otherwise; angles in radians.
"""

from dataclasses import dataclass

import numpy as np

from linewatch.sim.defect_shapes import CLASSES, Defect, DefectClass, MouldRing, sample_defects
from linewatch.sim.parts import Belts, Embossing, Glass, Glint, Knurling, Light, Pose, Tint, WaterMark

__all__ = ["CLASSES", "Defect", "DefectClass", "MouldRing", "Scene", "describe"]

# Mean grey level of the lit bottom and how much relief shows in it.
_TINTS: dict[Tint, tuple[float, float]] = {"flint": (158.0, 1.0), "green": (134.0, 0.9), "amber": (116.0, 0.85)}
_LETTERS = "ABCDEFGHKLMNPRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Scene:
    """One bottle bottom before the camera. blur: px at a side of 448. noise: grey levels, standard deviation."""

    seed: int
    index: int
    defects: tuple[Defect, ...]
    pose: Pose
    ring: MouldRing
    texts: tuple[Embossing, ...]
    knurling: Knurling
    glass: Glass
    light: Light
    belts: Belts
    glints: tuple[Glint, ...]
    water: tuple[WaterMark, ...]
    background: float
    blur: float
    noise: float
    noise_seed: int


def describe(seed: int, index: int, defect_rate: float = 0.15) -> Scene:
    """Describe bottle number `index` of the production run `seed`.

    seed, index: >= 0. defect_rate: 0 .. 1, share of the bottles with one to three defects. Same arguments, same scene.
    """
    # One stream per concern: a new kind of glint must not move every defect.
    rngs = np.random.default_rng((seed, index)).spawn(4)
    ring = _ring(rngs[0])
    flawed = rngs[1].random() < defect_rate
    count = int(rngs[1].choice([1, 2, 3], p=[0.55, 0.3, 0.15])) if flawed else 0
    defects = sample_defects(rngs[1], count, ring)
    pose, glass = _pose(rngs[0]), _glass(rngs[0])
    texts, knurling = _texts(rngs[0]), _knurling(rngs[0])
    rng = rngs[3]
    return Scene(
        seed, index, defects, pose, ring, texts, knurling, glass, _light(rngs[2]), _belts(rngs[2]),
        _glints(rng, defects, pose), _water(rng), background=float(rng.uniform(16, 30)),
        blur=float(rng.uniform(0.45, 0.95)), noise=float(rng.uniform(1.5, 4.5)), noise_seed=int(rng.integers(2**31)),
    )  # fmt: skip


def _ring(rng: np.random.Generator) -> MouldRing:
    depth = tuple(float(d) for d in rng.uniform(0.75, 1.0, int(rng.integers(12, 17))))
    return MouldRing(0.56, float(rng.uniform(0.028, 0.034)), float(rng.uniform(0, 2 * np.pi)), depth)


def _pose(rng: np.random.Generator) -> Pose:
    x, y = 0.5 + rng.uniform(-0.016, 0.016, 2)
    return Pose(float(x), float(y), float(rng.uniform(0.405, 0.425)), float(rng.uniform(0, 2 * np.pi)))


def _glass(rng: np.random.Generator) -> Glass:
    tints: tuple[Tint, ...] = ("flint", "green", "amber")
    tint = tints[int(rng.integers(3))]
    level, relief = _TINTS[tint]
    gain = rng.uniform(0.9, 1.1)
    return Glass(
        tint, float(level * gain), float(relief * rng.uniform(66, 90)), float(rng.uniform(0.26, 0.34)),
        float(rng.uniform(0.12, 0.3)), float(rng.uniform(0.36, 0.46)), float(rng.uniform(0.03, 0.08)),
        int(rng.integers(2**31)),
    )  # fmt: skip


def _texts(rng: np.random.Generator) -> tuple[Embossing, ...]:
    """Maker's code and volume on the outer circle, a mould number on the inner one."""

    def letters(count: int) -> str:
        return "".join(_LETTERS[i] for i in rng.integers(len(_LETTERS), size=count))

    volume = ("0.33L", "0.5L", "0.75L", "1.0L", "70CL")[int(rng.integers(5))]
    outer = f"{letters(int(rng.integers(2, 5)))} {rng.integers(10, 100)}  {volume}  {rng.integers(100, 1000)}"
    start = float(rng.uniform(0, 2 * np.pi))
    maker = Embossing(outer, 0.73, float(rng.uniform(0.1, 0.125)), start, float(0.155 * len(outer)))
    inner = f"{letters(1)}{rng.integers(1, 100)}"
    away = start + np.pi + rng.uniform(-1, 1)
    return maker, Embossing(inner, 0.19, 0.1, float(away), 0.55 * len(inner))


def _knurling(rng: np.random.Generator) -> Knurling:
    return Knurling(int(rng.integers(90, 131)), 0.885, float(rng.uniform(0.93, 0.95)), float(rng.uniform(-0.03, 0.03)))


def _light(rng: np.random.Generator) -> Light:
    gradient = rng.uniform(-0.14, 0.14, 2)
    hot = rng.uniform(-0.6, 0.6, 2)
    return Light(
        float(rng.uniform(0, 2 * np.pi)), float(gradient[0]), float(gradient[1]), float(hot[0]), float(hot[1]),
        float(rng.uniform(0.03, 0.16)), float(rng.uniform(0.1, 0.3)),
    )  # fmt: skip


def _belts(rng: np.random.Generator) -> Belts:
    values = rng.uniform([0.955, 0.955, 0.09, 0, 0, 42], [0.985, 0.985, 0.12, 1, 1, 64])
    return Belts(*(float(v) for v in values))


def _glints(rng: np.random.Generator, defects: tuple[Defect, ...], pose: Pose) -> tuple[Glint, ...]:
    """Short highlights that follow the circles of the glass; none may drown a defect."""
    turn = np.array([[np.cos(pose.rotation), -np.sin(pose.rotation)], [np.sin(pose.rotation), np.cos(pose.rotation)]])
    spots = [(turn @ (d.x, d.y), d.size) for d in defects]
    found = []
    for _ in range(int(rng.integers(3, 9))):
        distance = float(rng.choice([0.3, 0.42, 0.64, 0.83, 0.86]) + rng.normal(0, 0.03))
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.012, 0.06)
        x, y = float(distance * np.cos(angle)), float(distance * np.sin(angle))
        strength, width = float(rng.uniform(35, 90)), float(rng.uniform(0.008, 0.016))
        if all(np.hypot(x - s[0], y - s[1]) > size + 2.5 * length + 0.03 for s, size in spots):
            found.append(Glint(x, y, float(length), width, float(angle + np.pi / 2), strength))
    return tuple(found)


def _water(rng: np.random.Generator) -> tuple[WaterMark, ...]:
    marks = []
    for _ in range(int(rng.integers(0, 4))):
        distance, angle, radius, aspect, tilt = rng.uniform([0, 0, 0.06, 0.6, 0], [0.7, 6.28, 0.2, 1, 3.14])
        strength = float(rng.choice([-1, 1]) * rng.uniform(5, 10))
        marks.append(WaterMark(float(distance * np.cos(angle)), float(distance * np.sin(angle)), float(radius),
                               float(aspect), float(tilt), strength))  # fmt: skip
    return tuple(marks)
