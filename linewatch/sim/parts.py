"""What a bottle bottom and its picture consist of, apart from defects: plain descriptions, no pixels.

Lengths are in units of the bottle radius unless a field says otherwise; angles in radians. The bottle frame turns with
the bottle; the camera frame does not; both have the bottle's axis as origin, x to the right and y down.
"""

from dataclasses import dataclass
from typing import Literal

Tint = Literal["flint", "green", "amber"]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the bottle stands in the picture. x, y, radius: fractions of the picture's side. rotation: radians."""

    x: float
    y: float
    radius: float
    rotation: float


@dataclass(frozen=True, slots=True)
class Embossing:
    """Raised text on a circle. radius: of its middle line. height: of a letter. start, arc: radians, bottle frame."""

    text: str
    radius: float
    height: float
    start: float
    arc: float


@dataclass(frozen=True, slots=True)
class Knurling:
    """Stippling of the bearing surface: `count` short marks between two radii, leaning by `slant` radians."""

    count: int
    inner: float
    outer: float
    slant: float


@dataclass(frozen=True, slots=True)
class Glass:
    """tint: colour of the glass. level: grey of the lit bottom. relief: grey levels of embossing.

    push_up: radius of the raised centre. glow: of the centre, fraction of level. seam: radius of the baffle's seam.
    unevenness: of the wall, fraction of level. texture: seed of the unevenness.
    """

    tint: Tint
    level: float
    relief: float
    push_up: float
    glow: float
    seam: float
    unevenness: float
    texture: int


@dataclass(frozen=True, slots=True)
class Light:
    """direction: that relief is lit from, radians, camera frame. gradient_x/y: change across the picture, fraction.

    hot_x, hot_y: centre of the hot spot, camera frame. hot: its gain. vignette: loss in the corners, fraction.
    """

    direction: float
    gradient_x: float
    gradient_y: float
    hot_x: float
    hot_y: float
    hot: float
    vignette: float


@dataclass(frozen=True, slots=True)
class Glint:
    """A specular highlight, camera frame. length, width: standard deviations. strength: grey levels."""

    x: float
    y: float
    length: float
    width: float
    angle: float
    strength: float


@dataclass(frozen=True, slots=True)
class WaterMark:
    """The faint rim of a dried drop: no defect. strength: grey levels, signed."""

    x: float
    y: float
    radius: float
    aspect: float
    angle: float
    strength: float


@dataclass(frozen=True, slots=True)
class Belts:
    """The two gripping belts. left, right: distance of the inner edges from the axis. pitch: of the ribs.

    phase_left, phase_right: of the ribs, 0 .. 1. level: grey level of the rubber.
    """

    left: float
    right: float
    pitch: float
    phase_left: float
    phase_right: float
    level: float
