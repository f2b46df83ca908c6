"""A recorded folder as camera: picture n answers trigger n; behind its end there is no frame."""

import time
from pathlib import Path

from linewatch.cameras.ahead import Ahead
from linewatch.cameras.camera import Captured, check_shape
from linewatch.core.cameras import FolderCamera
from linewatch.core.errors import CameraError
from linewatch.pictures.read import read_picture
from linewatch.pictures.recording import open_recording
from linewatch.pictures.types import Picture

_DEPTH = 4


class FolderSource:
    """Pictures of a linewatch recording, by their recorded seq, or of a plain folder, by name."""

    def __init__(self, settings: FolderCamera) -> None:
        self._settings = settings
        self._paths: dict[int, Path | None] = {}
        self._ahead = Ahead(self._read, _DEPTH)

    @property
    def trouble(self) -> str:
        return ""

    def open(self) -> None:
        """Raises StorageError when the folder is neither a recording nor holds a picture."""
        recording = open_recording(self._settings.path)
        self._paths = {entry.seq: entry.path for entry in recording.entries}

    def close(self) -> None: ...

    def capture(self, seq: int, t_trigger_ns: int) -> Captured:  # noqa: ARG002
        """The picture recorded as number `seq`."""
        t_exposed_ns = time.monotonic_ns()
        picture, source = self._ahead.take(seq)
        return Captured(picture, t_exposed_ns, source)

    def idle(self) -> bool:
        return self._ahead.prepare()

    def _read(self, seq: int) -> tuple[Picture, str]:
        if seq not in self._paths:
            raise CameraError(self._settings.path, f"holds no picture for this trigger, only {len(self._paths)}", seq)
        path = self._paths[seq]
        if path is None:
            raise CameraError(self._settings.path, "no picture was recorded for this trigger", seq)
        picture = read_picture(path, self._settings.grey)
        check_shape(picture, self._settings.width, self._settings.height, self._settings.grey, str(path))
        return picture, path.name
