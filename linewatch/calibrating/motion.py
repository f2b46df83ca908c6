"""How a part moves through the picture, from where it was at several times after the gate. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from linewatch.core.errors import CalibrationError

LEAST_PLACES = 5
_LEAST_WAY = 0.05  # of the picture's smaller side, between the first and the last place
_MOST_RESIDUAL = 0.01  # of the same
_OUTLIER = 4.0  # median deviations

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """Where the part's middle was in the rectified picture, px, so long after it broke the gate."""

    after_ms: float
    x: float
    y: float


@dataclass(frozen=True)
class Motion:
    """capture_delay_ms: when the part is nearest to the middle. velocity: px/ms. beside_px: how far from it then.

    residual_px: of the places that were used, along the motion, rms. places: how many.
    """

    capture_delay_ms: float
    velocity: tuple[float, float]
    start: tuple[float, float]
    beside_px: float
    residual_px: float
    places: int

    def at(self, after_ms: float) -> tuple[float, float]:
        """Where the part is then."""
        return self.start[0] + after_ms * self.velocity[0], self.start[1] + after_ms * self.velocity[1]

    @property
    def speed_px_per_ms(self) -> float:
        return float(np.hypot(*self.velocity))


def find_motion(seen: Sequence[Seen], size_px: tuple[int, int]) -> Motion:
    """The even motion that explains `seen` best; places that lie far off are left out.

    size_px: width and height of the rectified picture. Raises CalibrationError when there is none.
    """
    if len(seen) < LEAST_PLACES:
        reason = f"pictures show the whole part, {LEAST_PLACES} are needed: choose delays around those that do"
        raise CalibrationError("--delays", reason, len(seen))
    times = np.array([one.after_ms for one in seen])
    places = np.array([[one.x, one.y] for one in seen])  # (n, 2)
    if np.ptp(times) == 0:
        raise CalibrationError("--delays", "must differ", float(times[0]))
    kept = _without_outliers(times, places)
    times, places = times[kept], places[kept]
    basis = np.stack([np.ones_like(times), times], axis=1)
    (start, velocity), *_ = np.linalg.lstsq(basis, places, rcond=None)  # (2,), (2,)
    way = float(np.hypot(*velocity) * np.ptp(times))
    if way < _LEAST_WAY * min(size_px):
        raise CalibrationError(
            "--delays", "the part hardly moves between them: does the belt run? Step wider", f"{way:.1f} px"
        )
    middle = (np.array(size_px) - 1) / 2
    delay = float((middle - start) @ velocity / (velocity @ velocity))
    along = (places - basis @ np.stack([start, velocity])) @ velocity / np.hypot(*velocity)
    residual = float(np.sqrt((along**2).mean()))
    beside = float(np.hypot(*(start + delay * velocity - middle)))
    return Motion(delay, _pair(velocity), _pair(start), beside, residual, len(times))


def motion_faults(motion: Motion, seen: Sequence[Seen], mm_per_px: float, side_px: int) -> list[CalibrationError]:
    """Whether to believe it. side_px: smaller side of the rectified picture."""
    faults = []
    if motion.residual_px > _MOST_RESIDUAL * side_px:
        reason = "px rms off an even motion: does the belt run evenly, and is the part held?"
        faults.append(CalibrationError("timing", reason, round(motion.residual_px, 2)))
    if motion.places < 0.7 * len(seen):
        reason = f"of {len(seen)} places lie on one even motion: send one part at a time, and keep the background still"
        faults.append(CalibrationError("timing", reason, motion.places))
    if motion.capture_delay_ms < 0:
        far_mm = -motion.capture_delay_ms * motion.speed_px_per_ms * mm_per_px
        reason = (
            f"the part has left the middle before it breaks the gate: move the gate upstream by {far_mm:.1f} mm or more"
        )
        faults.append(CalibrationError("timing", reason, f"{motion.capture_delay_ms:.1f} ms"))
    return faults


def _without_outliers(times: Numbers, places: Numbers) -> npt.NDArray[np.bool_]:
    """(n,): true where a place lies on the line of the median slope (Theil and Sen)."""
    first, second = np.triu_indices(len(times), 1)
    apart = times[second] - times[first]
    some = np.abs(apart) > 0
    slope = np.median((places[second] - places[first])[some] / apart[some, None], axis=0)
    rest = places - times[:, None] * slope
    off = np.hypot(*(rest - np.median(rest, axis=0)).T)
    return np.asarray(off <= _OUTLIER * np.median(off) + 1.0, np.bool_)


def _pair(values: Numbers) -> tuple[float, float]:
    return float(values[0]), float(values[1])
