"""The lens, from many views of the target: OpenCV's camera matrix and coefficients, and whether to believe them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.calibrating.views import View
from linewatch.core.errors import CalibrationError

Matrix = npt.NDArray[np.float64]
LEAST_VIEWS = 8
_LEAST_TURN_DEG = 15.0  # between the two most different views
_CORNER_SHARE = 0.25  # of width and height: how large a corner of the picture is
_LEAST_IN_CORNER = 3  # corners of squares seen there, over all views
_K3_GAIN = 0.9
_MOST_FOCAL_DOUBT = 0.01  # standard deviation of the focal length, as a share
_NAMES = {(0, 0): "upper left", (1, 0): "upper right", (0, 1): "lower left", (1, 1): "lower right"}


@dataclass(frozen=True)
class Lens:
    """matrix: (3, 3) px. distortion: (5,) k1 k2 p1 p2 k3. reprojection_px: rms over all corners.

    view_px: the same of each view. residuals: (n, 2) px of each corner of all views, seen minus computed.
    """

    matrix: Matrix
    distortion: Matrix
    reprojection_px: float
    view_px: tuple[float, ...]
    residuals: Matrix


def coverage_faults(views: Sequence[View], size_px: tuple[int, int]) -> list[CalibrationError]:
    """What keeps these views from telling about the whole lens; size_px: width and height."""
    if len(views) < LEAST_VIEWS:
        reason = f"views can be used, {LEAST_VIEWS} are needed and 15 are good: take more"
        return [CalibrationError("pictures", reason, len(views))]
    faults = [
        CalibrationError(
            "pictures", f"the {name} corner of the picture is never covered: take views with the target there"
        )
        for name in _uncovered(views, size_px)
    ]
    turn = _largest_turn_deg(views, size_px)
    if turn < _LEAST_TURN_DEG:
        reason = (
            f"all views are from the same angle (they differ by {turn:.0f} degrees, {_LEAST_TURN_DEG:.0f} are needed): "
            "tilt the target by 20 to 40 degrees to the left, right, up and down"
        )
        faults.append(CalibrationError("pictures", reason))
    return faults


def find_lens(views: Sequence[View], size_px: tuple[int, int]) -> Lens:
    """The lens that explains all `views` best, without k3 unless that is clearly worse: it would guess beyond them.

    Raises CalibrationError when no lens does.
    """
    try:
        plain, full = (_solve(views, size_px, flags) for flags in (cv2.CALIB_FIX_K3, 0))
    except cv2.error as exc:
        raise CalibrationError("pictures", f"no lens explains these views: {exc.err}") from exc
    error, matrix, distortion, turns, shifts, deviations = full if full[0] < _K3_GAIN * plain[0] else plain
    numbers = np.array([error, *matrix.ravel(), *distortion.ravel()[:5]])
    if not np.isfinite(numbers).all():
        raise CalibrationError("pictures", "no lens explains these views: take other ones")
    if deviations.ravel()[0] > _MOST_FOCAL_DOUBT * matrix[0, 0]:
        doubt = float(deviations.ravel()[0] / matrix[0, 0])
        raise CalibrationError("pictures", f"the focal length stays uncertain by {doubt:.1%}: tilt the target more")
    residuals = [
        view.at - cv2.projectPoints(view.where_mm, turn, shift, matrix, distortion)[0].reshape(-1, 2)
        for view, turn, shift in zip(views, turns, shifts, strict=True)
    ]
    per_view = tuple(float(np.sqrt((found**2).sum(axis=1).mean())) for found in residuals)
    return Lens(matrix, distortion.ravel()[:5], float(error), per_view, np.concatenate(residuals).astype(np.float64))


def _solve(views: Sequence[View], size_px: tuple[int, int], flags: int) -> tuple[Any, ...]:
    """Error, matrix, distortion, turns, shifts of the views, standard deviations of the lens, as OpenCV finds them."""
    where, at = [view.where_mm for view in views], [view.at for view in views]
    return cv2.calibrateCameraExtended(where, at, size_px, np.eye(3), np.zeros(5), flags=flags)[:6]


def error_faults(lens: Lens, views: Sequence[View], most_px: float) -> list[CalibrationError]:
    """Whether the lens explains the views well enough; names the worst one."""
    if lens.reprojection_px <= most_px:
        return []
    worst = int(np.argmax(lens.view_px))
    reason = (
        f"px rms, {most_px:g} at most; worst is {views[worst].name} with {lens.view_px[worst]:.2f}: is the target "
        "flat, were it and the camera still? Leave that view out, or take it again"
    )
    return [CalibrationError("reprojection error", reason, round(lens.reprojection_px, 3))]


def _uncovered(views: Sequence[View], size_px: tuple[int, int]) -> list[str]:
    at = np.concatenate([view.at for view in views]) / np.array(size_px, np.float32)
    found = []
    for (right, low), name in _NAMES.items():
        x = at[:, 0] > 1 - _CORNER_SHARE if right else at[:, 0] < _CORNER_SHARE
        y = at[:, 1] > 1 - _CORNER_SHARE if low else at[:, 1] < _CORNER_SHARE
        if int((x & y).sum()) < _LEAST_IN_CORNER:
            found.append(name)
    return found


def _largest_turn_deg(views: Sequence[View], size_px: tuple[int, int]) -> float:
    """Between the targets' normals of any two views, by an assumed lens: the true one is not known yet."""
    focal = 1.5 * max(size_px)
    matrix = np.array([[focal, 0, size_px[0] / 2], [0, focal, size_px[1] / 2], [0, 0, 1.0]])
    normals = []
    for view in views:
        found, turn, _ = cv2.solvePnP(view.where_mm, view.at, matrix, np.zeros(5), flags=cv2.SOLVEPNP_IPPE)
        if found:
            normals.append(cv2.Rodrigues(turn)[0][:, 2])
    if len(normals) < 2:
        return 0.0
    cosines = np.clip(np.array(normals) @ np.array(normals).T, -1, 1)
    return float(np.degrees(np.arccos(cosines.min())))
