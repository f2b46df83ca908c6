"""A live camera through OpenCV: V4L2, GStreamer or a stream.

A thread of its own takes every frame as it comes, so that no old frame waits in a driver's buffer and a device that
hangs never silences the camera process. A frame answers a trigger when it is fresh enough, and answers only one.

A network stream that changes its size without ending is scaled by OpenCV to the size it began with, and does not tell.
"""

import threading
import time
from dataclasses import dataclass

import cv2
import numpy as np

from linewatch.cameras.camera import Captured, check_shape
from linewatch.cameras.capture import as_picture, open_capture
from linewatch.core.cameras import OpenCvCamera
from linewatch.core.errors import CameraError

_REOPEN_S = 1.0
_CLOSE_S = 1.0
_DRIVER_CLOCK_NS = 5_000_000_000  # a driver's time stamp further from now than this is of another clock


@dataclass(frozen=True)
class _Arrived:
    frame: np.ndarray
    t_exposed_ns: int


class LiveSource:
    """Frames of a free-running or externally triggered camera, matched to triggers by their time."""

    def __init__(self, settings: OpenCvCamera, max_capture_ms: float) -> None:
        """max_capture_ms: how long after its trigger a frame is waited for."""
        self._settings = settings
        self._max_age_ns = round(settings.max_age_ms * 1e6)
        self._max_capture_ns = round(max_capture_ms * 1e6)
        self._changed = threading.Condition()
        self._newest: _Arrived | None = None
        self._trouble = ""
        self._closing = threading.Event()

    @property
    def trouble(self) -> str:
        return self._trouble

    def open(self) -> None:
        """Raises CameraError when the source does not exist or gives no first frame."""
        capture = open_capture(self._settings)
        if not capture.grab():
            capture.release()
            raise CameraError(self._settings.source, "is open but gives no frame")
        # A daemon: a read that hangs inside a driver must not keep the process from exiting.
        self._thread = threading.Thread(target=self._keep_taking, args=(capture,), name="frames", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join(_CLOSE_S)

    def capture(self, seq: int, t_trigger_ns: int) -> Captured:
        """The first frame at most max_age_ms older than its trigger, awaited until max_capture_ms after it."""
        source = self._settings.source
        oldest_ns = t_trigger_ns - self._max_age_ns
        wait_s = (t_trigger_ns + self._max_capture_ns - time.monotonic_ns()) / 1e9
        with self._changed:
            self._changed.wait_for(lambda: self._trouble or self._is_fresh(oldest_ns), max(0.0, wait_s))
            arrived, self._newest = self._newest, None
            if self._trouble:
                raise CameraError(source, self._trouble)
        if arrived is None or arrived.t_exposed_ns < oldest_ns:
            raise CameraError(source, "no fresh frame came for this trigger", seq)
        picture = as_picture(arrived.frame, self._settings.grey, source)
        check_shape(picture, self._settings.width, self._settings.height, self._settings.grey, source)
        return Captured(picture, arrived.t_exposed_ns, source)

    def idle(self) -> bool:
        return False

    def _is_fresh(self, oldest_ns: int) -> bool:
        return self._newest is not None and self._newest.t_exposed_ns >= oldest_ns

    def _keep_taking(self, capture: cv2.VideoCapture) -> None:
        """The thread: take frames until the device is gone, open it again every second, until closed."""
        current: cv2.VideoCapture | None = capture
        while current is not None:
            self._take(current)
            current.release()
            current = self._reopened()

    def _take(self, capture: cv2.VideoCapture) -> None:
        while not self._closing.is_set():
            found, frame = capture.read()
            if not found:
                self._say("the device gives no more frames: unplugged, or its stream has ended")
                return
            arrived = _Arrived(frame, _exposed_ns(capture, time.monotonic_ns()))
            with self._changed:
                self._newest, self._trouble = arrived, ""
                self._changed.notify_all()

    def _reopened(self) -> cv2.VideoCapture | None:
        while not self._closing.wait(_REOPEN_S):
            try:
                return open_capture(self._settings)
            except CameraError as exc:
                self._say(f"the device is gone: {exc.reason}")
        return None

    def _say(self, trouble: str) -> None:
        with self._changed:
            self._newest, self._trouble = None, trouble
            self._changed.notify_all()


def _exposed_ns(capture: cv2.VideoCapture, now_ns: int) -> int:
    """The driver's time stamp where it is of the monotonic clock (V4L2), else the arrival."""
    stamp_ns = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
    return stamp_ns if 0 <= now_ns - stamp_ns < _DRIVER_CLOCK_NS else now_ns
