"""From what the sensor saw to a picture in which a millimetre is a millimetre and grey is grey, everywhere."""

from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import CalibrationError, PictureError
from linewatch.core.station import Station
from linewatch.pictures.bad_pixels import BadPixels
from linewatch.pictures.calibration import Calibration, load_station_calibration
from linewatch.pictures.read import read_picture
from linewatch.pictures.types import Picture, Rectify

MOST_GAIN = 4.0  # a corner that gets less than a quarter of the light would be amplified noise


class Rectifier:
    """Applies one calibration: dark and flat field, bad pixels, lens, region, in this order. Tables are made once."""

    def __init__(self, calibration: Calibration) -> None:
        """Raises CalibrationError when a field cannot be read or does not fit."""
        self.calibration = calibration
        self._dark = _field(calibration, "dark_field")
        self._gain = _flat_field_gain(calibration, self._dark)
        self._bad = BadPixels(calibration)
        self._maps = _undistortion_maps(calibration)

    def __call__(self, picture: Picture) -> Picture:
        """The rectified picture, `calibration.rectified_px` large; grey stays grey and colour stays colour.

        picture: sensor coordinates. Raises CalibrationError when its size is not the one calibrated.
        """
        width, height = self.calibration.size_px
        if picture.shape[:2] != (height, width):
            raise CalibrationError(
                f"calibration of {self.calibration.camera}: size_px",
                f"the picture is {picture.shape[1]} x {picture.shape[0]}",
                [width, height],
            )
        picture = self._bad.mended(self._even(picture))
        if self._maps is not None:
            picture = np.asarray(cv2.remap(picture, *self._maps, cv2.INTER_LINEAR), np.uint8)
        return self._crop(picture)

    def _even(self, picture: Picture) -> Picture:
        """Without the sensor's own grey, and evenly lit."""
        if self._gain is None and self._dark is None:
            return picture
        light = picture.astype(np.float32)
        if self._dark is not None:
            light -= _across(self._dark, picture)
        if self._gain is not None:
            light *= _across(self._gain, picture)
        return np.clip(np.rint(light), 0, 255).astype(np.uint8)

    def _crop(self, picture: Picture) -> Picture:
        if self.calibration.region is None:
            return picture
        x, y, width, height = self.calibration.region
        return np.ascontiguousarray(picture[y : y + height, x : x + width])


def rectifier_for(station: Station) -> Rectify | None:
    """What turns the station's sensor pictures into the inspected ones; none when it names no calibration.

    Raises CalibrationError.
    """
    calibration = load_station_calibration(station)
    return None if calibration is None else Rectifier(calibration)


def _across(field: npt.NDArray[np.float32], picture: Picture) -> npt.NDArray[np.float32]:
    """`field` (H, W) in the shape in which it applies to each channel of `picture`."""
    return field if picture.ndim == 2 else field[:, :, None]


def _flat_field_gain(calibration: Calibration, dark: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float32] | None:
    """(H, W): factor that makes an evenly bright surface evenly grey at its own mean; at most 4. dark: (H, W)."""
    flat = _field(calibration, "flat_field")
    if flat is None:
        return None
    light = flat if dark is None else flat - dark
    smooth = cv2.GaussianBlur(light, (0, 0), 3.0)  # the surface's own grain must not be printed into every picture
    mean = float(smooth.mean())
    if mean < 1.0:
        raise CalibrationError(f"flat_field: {calibration.flat_field}", "is black")
    return np.asarray(mean / np.maximum(smooth, mean / MOST_GAIN), np.float32)


def _field(calibration: Calibration, key: Literal["flat_field", "dark_field"]) -> npt.NDArray[np.float32] | None:
    """(H, W) grey of the field that `calibration` names, if it names one."""
    path: Path | None = getattr(calibration, key)
    if path is None:
        return None
    try:
        field = read_picture(path).astype(np.float32)
    except PictureError as exc:
        raise CalibrationError(f"{key}: {exc.where}", exc.reason) from exc
    width, height = calibration.size_px
    if field.shape != (height, width):
        raise CalibrationError(f"{key}: {path}", f"must be {width} x {height}", f"{field.shape[1]} x {field.shape[0]}")
    return field


def _undistortion_maps(calibration: Calibration) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None:
    if calibration.camera_matrix is None or calibration.distortion is None:
        return None
    matrix = np.asarray(calibration.camera_matrix, np.float64)
    lens = np.asarray(calibration.distortion, np.float64)
    # The same matrix before and after: the scale at the optical axis, and with it mm_per_px, stays.
    x, y = cv2.initUndistortRectifyMap(matrix, lens, np.eye(3), matrix, calibration.size_px, cv2.CV_32FC1)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)
