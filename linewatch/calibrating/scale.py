"""Millimetres per pixel of the rectified picture, from one view of the target lying where the parts are inspected."""

from dataclasses import dataclass

import cv2
import numpy as np

from linewatch.calibrating.lens import Lens
from linewatch.calibrating.views import View
from linewatch.core.errors import CalibrationError

_MOST_SLOPE = 0.01  # change of the scale across the target, as a share


@dataclass(frozen=True)
class Scale:
    """mm_per_px: in the middle of the target. slope: how much it changes across the target, as a share."""

    mm_per_px: float
    slope: float


def find_scale(view: View, lens: Lens | None) -> Scale:
    """The scale at the target of `view`. lens: none when the picture is taken as it is."""
    at = view.at.astype(np.float64)
    if lens is not None:
        straight = cv2.undistortPoints(at[:, None], lens.matrix, lens.distortion, P=lens.matrix)
        at = np.asarray(straight, np.float64).reshape(-1, 2)
    where = view.where_mm[:, :2].astype(np.float64)
    homography, _ = cv2.findHomography(where, at)
    low, high = where.min(axis=0), where.max(axis=0)
    middle = _px_per_mm(homography, (low + high) / 2)
    edges = [_px_per_mm(homography, np.array([x, y])) for x in (low[0], high[0]) for y in (low[1], high[1])]
    return Scale(1 / middle, float((max(edges) - min(edges)) / middle))


def scale_faults(scale: Scale, view: View) -> list[CalibrationError]:
    """Whether the target lay square to the camera."""
    if scale.slope <= _MOST_SLOPE:
        return []
    reason = f"the scale changes by {scale.slope:.1%} across it: lay it flat where the parts are, square to the camera"
    return [CalibrationError(view.name, reason)]


def _px_per_mm(homography: np.ndarray, where: np.ndarray) -> float:
    """Geometric mean of both directions, as the root of how an area grows there."""
    x, y, w = homography @ np.array([where[0], where[1], 1.0])
    place = np.array([x / w, y / w])
    jacobian = (homography[:2, :2] - np.outer(place, homography[2, :2])) / w
    return float(np.sqrt(abs(np.linalg.det(jacobian))))
