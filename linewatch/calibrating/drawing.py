"""What people look at to believe a calibration: corners, residuals, before and after, the light's profile."""

import io
import math
from collections.abc import Sequence

import cv2
import matplotlib
import numpy as np

from linewatch.calibrating.fields import Field
from linewatch.calibrating.lens import Lens
from linewatch.calibrating.views import View
from linewatch.pictures.draw import AMBER, INK, blank, fit, write_text
from linewatch.pictures.types import Picture, Rectify

matplotlib.use("Agg")

from matplotlib.figure import Figure

_TILE_PX, _ACROSS, _HEAD_PX, _GAP_PX = 320, 4, 20, 6
_LARGE_PX = 640
_ARROWS = 40  # residuals are drawn so many times longer


def corners_sheet(views: Sequence[View]) -> Picture:
    """All views, small, with the corners that were found."""
    down = math.ceil(len(views) / _ACROSS)
    height = _TILE_PX * 3 // 4
    sheet = blank(_ACROSS * (_TILE_PX + _GAP_PX), down * (height + _HEAD_PX + _GAP_PX))
    for number, view in enumerate(views):
        x, y = number % _ACROSS * (_TILE_PX + _GAP_PX), number // _ACROSS * (height + _HEAD_PX + _GAP_PX)
        write_text(sheet, f"{view.name}: {len(view.at)} corners", x + 4, y + 14, 0.4, INK)
        tile = fit(_dotted(view), _TILE_PX, height)
        sheet[y + _HEAD_PX : y + _HEAD_PX + height, x : x + _TILE_PX] = tile
    return sheet


def before_and_after(picture: Picture, rectify: Rectify) -> Picture:
    """`picture`, (H, W), as the sensor gave it and rectified, side by side."""
    height = round(_LARGE_PX * picture.shape[0] / picture.shape[1])
    sheet = blank(2 * _LARGE_PX + _GAP_PX, height + _HEAD_PX)
    for number, (words, shown) in enumerate((("before", picture), ("after", rectify(picture)))):
        x = number * (_LARGE_PX + _GAP_PX)
        write_text(sheet, words, x + 4, 14, 0.4, INK)
        sheet[_HEAD_PX:, x : x + _LARGE_PX] = fit(shown, _LARGE_PX, height)
    return sheet


def residuals_png(lens: Lens, views: Sequence[View], size_px: tuple[int, int]) -> bytes:
    """Where corners were seen, how far from where the lens puts them, and how well each view fits."""
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    over, scatter, bars = figure.subplots(1, 3, width_ratios=(1.5, 1, 1))
    at = np.concatenate([view.at for view in views])
    over.quiver(at[:, 0], at[:, 1], *lens.residuals.T * _ARROWS, angles="xy", scale_units="xy", scale=1, width=0.002)
    over.set(xlim=(0, size_px[0]), ylim=(size_px[1], 0), aspect="equal", title=f"residuals x {_ARROWS}, on the picture")
    scatter.plot(*lens.residuals.T, ".", ms=2)
    scatter.set(aspect="equal", xlabel="px", title=f"residuals, {lens.reprojection_px:.3f} px rms")
    bars.bar(range(1, len(views) + 1), lens.view_px)
    bars.axhline(lens.reprojection_px, color="0.3", ls=":")
    bars.set(xlabel="view, by name", ylabel="px rms", title="each view")
    return _png(figure)


def profile_png(flat: Field, rectify: Rectify) -> bytes:
    """Mean of the middle rows and columns of the flat field, before and after."""
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    after = rectify(flat.picture).astype(np.float32)
    for axes, axis, words in zip(
        figure.subplots(1, 2), (0, 1), ("across the picture", "down the picture"), strict=True
    ):
        for grey, label in ((flat.mean, "before"), (after, "after")):
            middle = grey.shape[axis] // 2
            part = np.take(grey, range(max(middle - 8, 0), min(middle + 8, grey.shape[axis])), axis)
            axes.plot(part.mean(axis=axis), label=label)
        axes.set(xlabel="px", ylabel="grey", title=f"flat field, {words}", ylim=(0, 255))
        axes.legend(frameon=False)
    return _png(figure)


def motion_png(points: Sequence[tuple[float, float, float]], line_px: Sequence[tuple[float, float, float]]) -> bytes:
    """points: ms after the gate, x and y in px. line_px: two such points of the even motion that was found."""
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    found = np.array(points)
    axes.plot(found[:, 0], found[:, 1], ".", label="x")
    axes.plot(found[:, 0], found[:, 2], ".", label="y")
    line = np.array(line_px)
    axes.plot(line[:, 0], line[:, 1:], color="0.3", lw=0.8)
    axes.set(xlabel="ms after the gate", ylabel="px", title="where the part was")
    axes.legend(frameon=False)
    return _png(figure)


def _dotted(view: View) -> Picture:
    shown = np.asarray(cv2.cvtColor(view.picture, cv2.COLOR_GRAY2RGB), np.uint8)
    radius = max(2, round(max(view.picture.shape) / 160))
    for x, y in np.rint(view.at).astype(int):
        cv2.circle(shown, (int(x), int(y)), radius, AMBER, -1, cv2.LINE_AA)
    return shown


def _png(figure: Figure) -> bytes:
    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=100)
    return held.getvalue()
