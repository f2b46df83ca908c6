"""A video file as camera: picture n answers trigger n; behind its end there is no frame."""

import time

from linewatch.cameras.ahead import Ahead
from linewatch.cameras.camera import Captured, check_shape
from linewatch.cameras.capture import as_picture, open_capture
from linewatch.core.cameras import OpenCvCamera
from linewatch.core.errors import CameraError
from linewatch.pictures.types import Picture

_DEPTH = 4


class VideoSource:
    """Plays the file forward; parts that were skipped cannot be asked for again."""

    def __init__(self, settings: OpenCvCamera) -> None:
        self._settings = settings
        self._played = 0
        self._ahead = Ahead(self._read, _DEPTH)

    @property
    def trouble(self) -> str:
        return ""

    def open(self) -> None:
        """Raises CameraError when the file is no video."""
        self._capture = open_capture(self._settings)

    def close(self) -> None:
        self._capture.release()

    def capture(self, seq: int, t_trigger_ns: int) -> Captured:  # noqa: ARG002
        t_exposed_ns = time.monotonic_ns()
        return Captured(self._ahead.take(seq), t_exposed_ns, f"{self._settings.source}#{seq}")

    def idle(self) -> bool:
        return self._ahead.prepare()

    def _read(self, seq: int) -> Picture:
        source = self._settings.source
        if seq <= self._played:
            raise CameraError(source, "this picture was played already", seq)
        while self._played < seq:
            if not self._capture.grab():
                raise CameraError(source, f"holds no picture for this trigger, only {self._played}", seq)
            self._played += 1
        found, frame = self._capture.retrieve()
        if not found:
            raise CameraError(source, "the picture cannot be decoded", seq)
        picture = as_picture(frame, self._settings.grey, source)
        check_shape(picture, self._settings.width, self._settings.height, self._settings.grey, source)
        return picture
