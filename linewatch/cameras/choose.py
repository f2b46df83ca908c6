"""The camera that a station names."""

from linewatch.cameras.camera import Camera, Tell
from linewatch.core.cameras import BaslerCamera, FolderCamera, GenicamCamera, OpenCvCamera, SimulatedCamera
from linewatch.core.messages import Note
from linewatch.core.station import Station


def _nobody(note: Note) -> None: ...


def camera_for(station: Station, tell: Tell = _nobody) -> Camera:
    """The adapter for `station.camera`, not yet open. tell: takes what is worth an event, while a picture is taken.

    Raises ConfigError when its settings cannot be, CameraError when a package is missing. Each adapter is imported only
    when it is the one: OpenCV's video part, the renderer and vendors' libraries take their time.
    """
    max_capture_ms = station.line.max_capture_ms
    match station.camera:
        case FolderCamera() as settings:
            from linewatch.cameras.folder import FolderSource

            return FolderSource(settings)
        case SimulatedCamera() as settings:
            from linewatch.cameras.simulated import SimulatedSource

            return SimulatedSource(settings)
        case OpenCvCamera() as settings:
            return _opencv(settings, max_capture_ms)
        case BaslerCamera() as settings:
            from linewatch.cameras.basler import BaslerDevice
            from linewatch.cameras.triggered import TriggeredSource

            return TriggeredSource(BaslerDevice(settings), settings, max_capture_ms, tell)
        case GenicamCamera() as settings:
            from linewatch.cameras.genicam import GenicamDevice
            from linewatch.cameras.triggered import TriggeredSource

            return TriggeredSource(GenicamDevice(settings), settings, max_capture_ms, tell)


def _opencv(settings: OpenCvCamera, max_capture_ms: float) -> Camera:
    from linewatch.cameras.capture import is_video_file
    from linewatch.cameras.live import LiveSource
    from linewatch.cameras.video import VideoSource

    return VideoSource(settings) if is_video_file(settings.source) else LiveSource(settings, max_capture_ms)
