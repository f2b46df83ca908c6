"""Opening a cv2.VideoCapture by what its source names, with errors that say what is wrong with it."""

import os
import re
from pathlib import Path

import cv2
import numpy as np

from linewatch.core.cameras import OpenCvCamera
from linewatch.core.errors import CameraError, PictureError
from linewatch.pictures.types import Picture

_OPEN_TIMEOUT_MS = 3000
_READ_TIMEOUT_MS = 2000
_V4L2_MANUAL_EXPOSURE = 1.0
_V4L2_EXPOSURE_UNIT_US = 100.0


def is_video_file(source: str) -> bool:
    """True when `source` is a file to be played picture by picture, not a live camera."""
    return not _is_pipeline(source) and Path(source).is_file()


def open_capture(settings: OpenCvCamera) -> cv2.VideoCapture:
    """The opened source, size and exposure set. Raises CameraError that names the source."""
    source = settings.source
    _quiet()
    device = _v4l2_device(source)
    if settings.exposure_us is not None and device is None:
        raise CameraError(source, "exposure_us can be set on a V4L2 device only", settings.exposure_us)
    if device is not None:
        capture = _open_device(device)
        _set_up_device(capture, settings)
    elif _is_pipeline(source):
        capture = _open_pipeline(source)
    elif "://" in source or Path(source).is_file():
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, _READ_TIMEOUT_MS]
        capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    else:
        raise CameraError(source, "does not exist")
    if not capture.isOpened():
        raise CameraError(source, "cannot be opened as a camera, stream or video")
    return capture


def as_picture(frame: np.ndarray, grey: bool, source: str) -> Picture:
    """A picture of what VideoCapture gave: (H, W) or (H, W, 3) in the order blue, green, red.

    Raises PictureError at more than 8 bits.
    """
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3):
        raise PictureError(source, "the camera must give 8 bits per channel", str(frame.dtype))
    if frame.ndim == 3 and frame.shape[2] == 1:
        frame = frame[:, :, 0]
    if frame.ndim == 3:
        code = cv2.COLOR_BGR2GRAY if grey else cv2.COLOR_BGR2RGB
    elif grey:
        return frame
    else:
        code = cv2.COLOR_GRAY2RGB
    return np.asarray(cv2.cvtColor(frame, code), np.uint8)


def _v4l2_device(source: str) -> str | None:
    if source.isdecimal():
        return f"/dev/video{source}"
    return source if source.startswith("/dev/") else None


def _is_pipeline(source: str) -> bool:
    return re.search(r"\s!\s", source) is not None


def _open_device(device: str) -> cv2.VideoCapture:
    if not Path(device).exists():
        raise CameraError(device, "does not exist")
    if not Path(device).is_char_device():
        raise CameraError(device, "is no video device")
    if not os.access(device, os.R_OK | os.W_OK):
        raise CameraError(device, "may not be read and written by this user (group video)")
    return cv2.VideoCapture(device, cv2.CAP_V4L2)


def _set_up_device(capture: cv2.VideoCapture, settings: OpenCvCamera) -> None:
    """A size that the device does not take shows in its frames: each is then an incomplete frame."""
    if not capture.isOpened():
        return
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
    if settings.exposure_us is None:
        return
    capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _V4L2_MANUAL_EXPOSURE)
    if not capture.set(cv2.CAP_PROP_EXPOSURE, round(settings.exposure_us / _V4L2_EXPOSURE_UNIT_US)):
        capture.release()
        raise CameraError(settings.source, "does not take this exposure_us", settings.exposure_us)


def _open_pipeline(source: str) -> cv2.VideoCapture:
    if not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        raise CameraError(source, "is a GStreamer pipeline, and this OpenCV was built without GStreamer")
    return cv2.VideoCapture(source, cv2.CAP_GSTREAMER)


def _quiet() -> None:
    """Our errors say it in one line; OpenCV and FFmpeg would add theirs on stderr."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
