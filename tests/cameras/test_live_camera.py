"""A live camera: a real stream over a real socket, that lags, stalls, changes its size and goes away."""

import contextlib
import http.server
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from linewatch.cameras.capture import open_capture
from linewatch.cameras.live import LiveSource
from linewatch.core.cameras import OpenCvCamera
from linewatch.core.errors import CameraError, PictureError
from linewatch.pictures.write import encode_jpeg

FRAME_S = 0.03


class Stream:
    """A motion JPEG camera on localhost; what it shows and whether it shows anything is set from the test."""

    def __init__(self, port: int = 0) -> None:
        self.grey = 100
        self.size = (64, 48)
        self.running = True
        self.paused = False
        stream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                while stream.running:
                    if not stream.paused:
                        self._send_frame()
                    time.sleep(FRAME_S)

            def _send_frame(self) -> None:
                data = encode_jpeg(np.full(stream.size[::-1], stream.grey, np.uint8), 95)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + data + b"\r\n")
                except OSError:
                    stream.running = False

            def log_message(self, format: str, *args: object) -> None: ...

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        self.running = False
        self._server.shutdown()
        self._server.server_close()


def settings(source: str, **more: object) -> OpenCvCamera:
    return OpenCvCamera.model_validate({"kind": "opencv", "source": source, "width": 64, "height": 48, **more})


@pytest.fixture
def stream() -> Iterator[Stream]:
    stream = Stream()
    yield stream
    stream.unplug()


@pytest.fixture
def camera(stream: Stream) -> Iterator[LiveSource]:
    camera = LiveSource(settings(f"http://127.0.0.1:{stream.port}/cam.mjpg"), max_capture_ms=2000)
    camera.open()
    yield camera
    camera.close()


def eventually(camera: LiveSource, grey: int, patience_s: float = 60) -> bool:
    """True once a trigger is answered with that grey."""
    give_up = time.monotonic() + patience_s
    while time.monotonic() < give_up:
        try:
            if abs(int(camera.capture(1, time.monotonic_ns()).pixels.mean()) - grey) < 4:
                return True
        except CameraError:
            time.sleep(0.05)
    return False


def test_a_frame_is_fresh_for_its_trigger(stream: Stream, camera: LiveSource) -> None:
    assert eventually(camera, 100)
    stream.grey = 200
    assert eventually(camera, 200)
    now_ns = time.monotonic_ns()
    captured = camera.capture(2, now_ns)
    assert captured.t_exposed_ns >= now_ns - 40_000_000
    assert captured.pixels.shape == (48, 64)


def test_one_frame_never_answers_two_triggers(camera: LiveSource) -> None:
    assert eventually(camera, 100)
    now_ns = time.monotonic_ns()
    times = [camera.capture(seq, now_ns).t_exposed_ns for seq in range(4)]
    assert len(set(times)) == 4


@pytest.mark.slow
def test_a_camera_that_stalls_gives_no_frame_and_never_an_old_one(stream: Stream, camera: LiveSource) -> None:
    assert eventually(camera, 100)
    stream.paused = True
    time.sleep(0.5)
    started = time.monotonic()
    with pytest.raises(CameraError, match=r"no fresh frame|no more frames"):
        camera.capture(9, time.monotonic_ns())
    assert time.monotonic() - started < 10


def test_another_size_is_an_incomplete_frame(stream: Stream) -> None:
    stream.size = (80, 48)
    camera = LiveSource(settings(f"http://127.0.0.1:{stream.port}/cam.mjpg"), max_capture_ms=2000)
    camera.open()
    with pytest.raises(PictureError, match="'80 x 48': the station says 64 x 48"):
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            with contextlib.suppress(CameraError):  # a slow machine may miss a frame or two
                camera.capture(1, time.monotonic_ns())
    camera.close()


@pytest.mark.slow
def test_an_unplugged_camera_is_told_and_comes_back(stream: Stream, camera: LiveSource) -> None:
    assert eventually(camera, 100)
    stream.unplug()
    give_up = time.monotonic() + 60
    while not camera.trouble and time.monotonic() < give_up:
        time.sleep(0.02)
    with pytest.raises(CameraError, match=r"gone|no more frames"):
        camera.capture(3, time.monotonic_ns())
    back = Stream(stream.port)
    back.grey = 150
    assert eventually(camera, 150)
    assert camera.trouble == ""
    back.unplug()


@pytest.mark.parametrize(
    ("source", "more", "reason"),
    [
        ("/dev/video97", {}, "/dev/video97: does not exist"),
        ("97", {}, "/dev/video97: does not exist"),
        ("/dev/null", {}, "/dev/null: cannot be opened as a camera"),
        ("no/such/video.avi", {}, r"no/such/video\.avi: does not exist"),
        ("http://127.0.0.1:1/cam", {}, "cannot be opened as a camera"),
        ("http://127.0.0.1:1/cam", {"exposure_us": 500}, "exposure_us can be set on a V4L2 device only"),
        ("videotestsrc ! appsink", {}, "built without GStreamer|cannot be opened"),
    ],
)
def test_a_source_that_does_not_exist_is_named(source: str, more: dict[str, object], reason: str) -> None:
    with pytest.raises(CameraError, match=reason):
        open_capture(settings(source, **more))
