"""Finding the target in pictures, and saying what keeps a picture from being used."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from linewatch.calibrating.target import Points, Target
from linewatch.core.errors import CalibrationError, PictureError
from linewatch.pictures.folder import list_pictures
from linewatch.pictures.read import read_picture
from linewatch.pictures.types import Picture

_LEAST_CORNERS = 8
_LEAST_CONTRAST = 40.0  # grey levels between black and white squares
_SATURATED = 254
_MOST_SATURATED = 0.2  # of the target's pixels; white squares that run over push their corners away
_SEARCHES = (cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_ACCURACY, cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY)
_MOST_OFF_GRID = 0.3  # of a square; lenses bend less
_MOST_EDGE_PX = 4.5  # how far an edge between squares may spread


@dataclass(frozen=True)
class View:
    """One picture of the target. at: (n, 2) px, corners found. where_mm: (n, 3), the same on the target."""

    name: str
    picture: Picture
    at: Points
    where_mm: Points
    numbers: tuple[int, ...]


def read_views(folder: Path, target: Target, size_px: tuple[int, int]) -> tuple[list[View], list[CalibrationError]]:
    """The usable pictures of `folder`, and what is wrong with the others. Raises StorageError without any picture.

    size_px: width and height that the station's camera gives.
    """
    views: list[View] = []
    faults: list[CalibrationError] = []
    for path in list_pictures(folder):
        try:
            views.append(look(read_picture(path), target, path.name, size_px))
        except (CalibrationError, PictureError) as exc:
            faults.append(exc if isinstance(exc, CalibrationError) else CalibrationError(exc.where, exc.reason))
    return views, faults


def look(picture: Picture, target: Target, name: str, size_px: tuple[int, int]) -> View:
    """The target in `picture`, (H, W) grey. Raises CalibrationError that names the picture and what to do."""
    height, width = picture.shape
    if (width, height) != size_px:
        raise CalibrationError(
            name, f"the station's camera gives {size_px[0]} x {size_px[1]}: leave it out", f"{width} x {height}"
        )
    view = _charuco(picture, target, name) if target.kind == "charuco" else _chessboard(picture, target, name)
    _check_light(view)
    _check_focus(view)
    return view


def never_seen(views: Iterable[View], target: Target) -> CalibrationError | None:
    """A whole column or row of corners that no view has: the target is smaller than was said."""
    seen = np.zeros(target.inner[::-1], bool)
    for view in views:
        seen.flat[list(view.numbers)] = True
    columns, rows = int(seen.any(axis=0).sum()) + 1, int(seen.any(axis=1).sum()) + 1
    if (columns, rows) == (target.columns, target.rows):
        return None
    reason = "squares were ever seen: give the target's own --columns and --rows, or photograph all of it"
    return CalibrationError("target", f"only {columns} x {rows} {reason}", target.size)


def _charuco(picture: Picture, target: Target, name: str) -> View:
    detector = cv2.aruco.CharucoDetector(target.board())
    corners, numbers, _, markers = detector.detectBoard(picture)
    found = [] if markers is None else sorted(int(number) for number in np.ravel(markers))
    most = len(target.board().getIds())
    strangers = [number for number in found if number >= most]
    if strangers:
        reason = f"holds marker {strangers[-1]}, {target.size} squares have 0 to {most - 1}: give --columns and --rows"
        raise CalibrationError(name, reason)
    if not found:
        raise CalibrationError(name, f"no target found: is it in the picture, sharp, with markers {target.markers}?")
    if corners is None:
        reason = f"its markers lie otherwise than on a target of {target.size}: give its --columns and --rows"
        raise CalibrationError(name, reason)
    if len(corners) < _LEAST_CORNERS:
        raise CalibrationError(
            name, f"only {len(corners)} corners are seen, {_LEAST_CORNERS} are needed: show more, and sharper"
        )
    chosen = np.ravel(numbers)
    at = np.asarray(corners, np.float32).reshape(-1, 2)
    return View(name, picture, at, target.corners_mm[chosen], tuple(int(number) for number in chosen))


def _chessboard(picture: Picture, target: Target, name: str) -> View:
    for flags in _SEARCHES:
        found, corners = cv2.findChessboardCornersSB(picture, target.inner, flags=flags)
        at = np.asarray(corners, np.float32).reshape(-1, 2) if found else None
        if at is not None and _is_grid(at, target.corners_mm):
            return View(name, picture, at, target.corners_mm, tuple(range(len(at))))
    raise CalibrationError(name, _why_no_chessboard(picture, target))


def _is_grid(at: Points, where_mm: Points) -> bool:
    """Whether one plane explains the corners: words beside a chessboard are sometimes taken for its last row."""
    where = where_mm[:, :2].astype(np.float64)
    homography, _ = cv2.findHomography(where, at.astype(np.float64))
    if homography is None:
        return False
    off = at - cv2.perspectiveTransform(where[:, None], homography)[:, 0]
    square_px = float(np.median(np.hypot(*np.diff(at, axis=0).T)))
    return float(np.hypot(*off.T).max()) < _MOST_OFF_GRID * square_px


def _why_no_chessboard(picture: Picture, target: Target) -> str:
    """Whether there is another chessboard in `picture` than the one looked for."""
    flags = cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_LARGER
    found, _, grid = cv2.findChessboardCornersSBWithMeta(picture, (3, 3), flags)
    if found and sorted(grid.shape[:2]) != sorted(target.inner):
        long, short = max(grid.shape[:2]) + 1, min(grid.shape[:2]) + 1
        right = f"give --columns {long} --rows {short}, or show all of it"
        return f"shows {long} x {short} squares, not {target.size}: {right}"
    return f"no chessboard of {target.size} squares found: all of it must be in the picture, with a white rim"


def _check_light(view: View) -> None:
    """Raises CalibrationError when black and white are not told apart well."""
    inside = view.picture[_hull(view) > 0]
    black, white = np.percentile(inside, (5, 95))
    saturated = float((inside >= _SATURATED).mean())
    if saturated > _MOST_SATURATED:
        raise CalibrationError(
            view.name, f"over-exposed: {saturated:.0%} of the target is white; less light or exposure"
        )
    if white - black < _LEAST_CONTRAST:
        reason = f"black and white squares differ by {white - black:.0f} grey levels, {_LEAST_CONTRAST:.0f} are needed"
        raise CalibrationError(view.name, f"{reason}: more light or exposure")


def _check_focus(view: View) -> None:
    """Raises CalibrationError when edges between squares are spread by blur: the grey step over its steepest slope."""
    grey = view.picture.astype(np.float32)
    slope = cv2.magnitude(
        cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125)
    )
    reach = 8
    widths = []
    for x, y in np.rint(view.at).astype(int):
        rows, columns = slice(max(y - reach, 0), y + reach + 1), slice(max(x - reach, 0), x + reach + 1)
        widths.append(float(np.ptp(grey[rows, columns]) / max(slope[rows, columns].max(), 1e-3)))
    spread = float(np.median(widths))
    if spread > _MOST_EDGE_PX:
        raise CalibrationError(
            view.name, f"blurred: edges spread over {spread:.1f} px, {_MOST_EDGE_PX:g} at most; focus, hold still"
        )


def _hull(view: View) -> Picture:
    """(H, W): not 0 where the target's corners lie around."""
    mask = np.zeros(view.picture.shape, np.uint8)
    outline = cv2.convexHull(np.rint(view.at).astype(np.int32))
    return np.asarray(cv2.fillConvexPoly(mask, outline, 255), np.uint8)
