"""The camera that a station names."""

from linewatch.cameras.camera import Camera
from linewatch.core.station import FolderCamera, OpenCvCamera, SimulatedCamera, Station


def camera_for(station: Station) -> Camera:
    """The adapter for `station.camera`, not yet open. Raises ConfigError when its settings cannot be.

    Each adapter is imported only when it is the one: OpenCV's video part and the renderer take their time.
    """
    match station.camera:
        case FolderCamera() as settings:
            from linewatch.cameras.folder import FolderSource

            return FolderSource(settings)
        case SimulatedCamera() as settings:
            from linewatch.cameras.simulated import SimulatedSource

            return SimulatedSource(settings)
        case OpenCvCamera() as settings:
            return _opencv(settings, station.line.max_capture_ms)


def _opencv(settings: OpenCvCamera, max_capture_ms: float) -> Camera:
    from linewatch.cameras.capture import is_video_file
    from linewatch.cameras.live import LiveSource
    from linewatch.cameras.video import VideoSource

    return VideoSource(settings) if is_video_file(settings.source) else LiveSource(settings, max_capture_ms)
