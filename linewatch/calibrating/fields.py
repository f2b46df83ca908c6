"""Flat and dark field: averages of many pictures, and the pixels that do not measure light."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import CalibrationError, PictureError
from linewatch.pictures.folder import list_pictures
from linewatch.pictures.read import read_picture
from linewatch.pictures.rectify import MOST_GAIN
from linewatch.pictures.types import Picture

LEAST_PICTURES = 8
_SATURATED, _MOST_SATURATED = 254, 0.001
_FLAT_GREY = 40.0  # darker is mostly noise
_DARK_GREY = 30.0  # brighter is no dark field
_MOST_FLICKER = 0.02  # deviation of the pictures' mean grey, as a share
_HOT_GREY = 12.0  # above what surrounds it, in the dark
_DEAD_SHARE = 0.4  # off what surrounds it, in the light
_MOST_BAD = 0.001  # of all pixels

Grey = npt.NDArray[np.float32]
Pixels = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Field:
    """The average of one folder. mean: (H, W) grey levels. saturated: share of pixels. flicker: share, of means."""

    name: str
    mean: Grey
    saturated: float
    flicker: float
    pictures: int

    @property
    def picture(self) -> Picture:
        """(H, W), as it is written beside the calibration."""
        return np.clip(np.rint(self.mean), 0, 255).astype(np.uint8)


def read_field(folder: Path, name: str, size_px: tuple[int, int]) -> Field:
    """The average of the pictures in `folder`. name: `flat field` or `dark field`, for messages.

    Raises StorageError without any picture, CalibrationError when one cannot be read or has another size.
    """
    total = np.zeros(size_px[::-1], np.float64)
    means: list[float] = []
    saturated: list[float] = []
    for path in list_pictures(folder):
        try:
            picture = read_picture(path)
        except PictureError as exc:
            raise CalibrationError(f"{name}: {exc.where}", exc.reason) from exc
        if picture.shape != size_px[::-1]:
            reason = f"the station's camera gives {size_px[0]} x {size_px[1]}"
            raise CalibrationError(f"{name}: {path.name}", reason, f"{picture.shape[1]} x {picture.shape[0]}")
        total += picture
        saturated.append(float((picture >= _SATURATED).mean()))
        means.append(float(picture.mean()))
    flicker = float(np.std(means)) / max(float(np.mean(means)), 1e-6)
    mean = (total / len(means)).astype(np.float32)
    return Field(name, mean, float(np.mean(saturated)), flicker, len(means))


def flat_faults(flat: Field, dark: Field | None) -> list[CalibrationError]:
    """What keeps `flat` from evening the light."""
    name, grey = flat.name, float(flat.mean.mean())
    faults = _few(flat)
    if flat.saturated > _MOST_SATURATED:
        reason = f"{flat.saturated:.1%} of it is saturated: less light or exposure, so that its brightest is about 200"
        faults.append(CalibrationError(name, reason))
    if dark is not None and float(dark.mean.mean()) >= grey:
        reason = "is not brighter than the dark one: are the folders exchanged?"
        return [*faults, CalibrationError(name, reason, round(grey, 1))]
    if grey < _FLAT_GREY:
        reason = f"mean grey is below {_FLAT_GREY:.0f}: more light, so that its brightest is about 200"
        faults.append(CalibrationError(name, reason, round(grey, 1)))
    if flat.flicker > _MOST_FLICKER:
        reason = f"its pictures differ by {flat.flicker:.1%} in brightness: fix exposure, gain and light"
        faults.append(CalibrationError(name, reason))
    smooth = cv2.GaussianBlur(flat.mean, (0, 0), 3.0)
    if float(smooth.min()) * MOST_GAIN < float(smooth.mean()):
        y, x = np.unravel_index(int(smooth.argmin()), smooth.shape)
        reason = f"gets less than a quarter of the mean light at {x}, {y}: is something in the way? Widen the light"
        faults.append(CalibrationError(name, reason))
    return faults


def dark_faults(dark: Field) -> list[CalibrationError]:
    """What keeps `dark` from being the sensor's own grey."""
    grey = float(dark.mean.mean())
    if grey <= _DARK_GREY:
        return _few(dark)
    reason = f"mean grey is above {_DARK_GREY:.0f}: cover the lens, light off"
    return [*_few(dark), CalibrationError(dark.name, reason, round(grey, 1))]


def hot_pixels(dark: Field) -> Pixels:
    """x, y of the pixels that shine in the dark."""
    return _listed(dark.mean - _surroundings(dark.mean) > _HOT_GREY)


def dead_pixels(flat: Field, hot: Pixels) -> Pixels:
    """x, y of the pixels, other than the `hot` ones, that do not follow the light."""
    around = _surroundings(flat.mean)
    known = set(hot)
    return tuple(at for at in _listed(np.abs(flat.mean - around) > _DEAD_SHARE * around) if at not in known)


def pixel_faults(bad: Pixels, size_px: tuple[int, int]) -> list[CalibrationError]:
    """Whether so many pixels are bad that it is hardly the sensor."""
    if len(bad) <= _MOST_BAD * size_px[0] * size_px[1]:
        return []
    reason = (
        f"hot and dead pixels, more than {_MOST_BAD:.1%}: clean sensor and surface, cover the lens for the dark field"
    )
    return [CalibrationError("flat and dark field", reason, len(bad))]


def _few(field: Field) -> list[CalibrationError]:
    if field.pictures >= LEAST_PICTURES:
        return []
    reason = f"pictures: {LEAST_PICTURES} are needed to average their noise, 30 are good"
    return [CalibrationError(field.name, reason, field.pictures)]


def _surroundings(grey: Grey) -> Grey:
    """(H, W): the median of each pixel and its neighbours, 5 x 5."""
    return np.asarray(cv2.medianBlur(grey, 5), np.float32)


def _listed(where: npt.NDArray[np.bool_]) -> Pixels:
    return tuple((int(x), int(y)) for y, x in np.argwhere(where))
