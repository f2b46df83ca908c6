"""From what the sensor saw to a picture in which a millimetre is a millimetre and grey is grey, everywhere."""

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import CalibrationError, PictureError
from linewatch.core.station import Station
from linewatch.pictures.calibration import Calibration, load_station_calibration
from linewatch.pictures.read import read_picture
from linewatch.pictures.types import Picture, Rectify

_MOST_GAIN = 4.0  # a corner that gets less than a quarter of the light would be amplified noise


class Rectifier:
    """Applies one calibration: flat field, lens, region, in this order. Maps and gains are made once."""

    def __init__(self, calibration: Calibration) -> None:
        """Raises CalibrationError when the flat field cannot be read or does not fit."""
        self.calibration = calibration
        self._gain = _flat_field_gain(calibration)
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
        if self._gain is not None:
            gain = self._gain if picture.ndim == 2 else self._gain[:, :, None]
            picture = np.clip(np.rint(picture * gain), 0, 255).astype(np.uint8)
        if self._maps is not None:
            picture = np.asarray(cv2.remap(picture, *self._maps, cv2.INTER_LINEAR), np.uint8)
        return self._crop(picture)

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


def _flat_field_gain(calibration: Calibration) -> npt.NDArray[np.float32] | None:
    """(H, W): factor that makes an evenly bright surface evenly grey at its own mean; at most 4."""
    if calibration.flat_field is None:
        return None
    try:
        flat = read_picture(calibration.flat_field).astype(np.float32)
    except PictureError as exc:
        raise CalibrationError(f"flat_field: {exc.where}", exc.reason) from exc
    width, height = calibration.size_px
    if flat.shape != (height, width):
        raise CalibrationError(
            f"flat_field: {calibration.flat_field}", f"must be {width} x {height}", f"{flat.shape[1]} x {flat.shape[0]}"
        )
    smooth = cv2.GaussianBlur(flat, (0, 0), 3.0)  # the surface's own grain must not be printed into every picture
    mean = float(smooth.mean())
    if mean < 1.0:
        raise CalibrationError(f"flat_field: {calibration.flat_field}", "is black")
    return np.asarray(mean / np.maximum(smooth, mean / _MOST_GAIN), np.float32)


def _undistortion_maps(calibration: Calibration) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None:
    if calibration.camera_matrix is None or calibration.distortion is None:
        return None
    matrix = np.asarray(calibration.camera_matrix, np.float64)
    lens = np.asarray(calibration.distortion, np.float64)
    # The same matrix before and after: the scale at the optical axis, and with it mm_per_px, stays.
    x, y = cv2.initUndistortRectifyMap(matrix, lens, np.eye(3), matrix, calibration.size_px, cv2.CV_32FC1)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)
