"""Any vendor's camera over Aravis: its fake GigE Vision camera, a process of its own on loopback."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from linewatch.cameras.genicam import GenicamDevice
from linewatch.cameras.triggered import TriggeredSource
from linewatch.core.cameras import GenicamCamera
from linewatch.core.errors import CameraError, LinewatchError, PictureError
from linewatch.core.messages import Cause, FrameFailed, FrameReady, Note

FAKE = shutil.which("arv-fake-gv-camera-0.8")
GVCP_PORT = 3956
gi = pytest.importorskip("gi", reason="PyGObject is not installed: pip install 'linewatch[genicam]'")
try:
    gi.require_version("Aravis", "0.8")
except ValueError as exc:
    pytest.skip(f"Debian's gir1.2-aravis-0.8 is not installed: {exc}", allow_module_level=True)
pytestmark = pytest.mark.skipif(FAKE is None, reason="Debian's aravis-tools is not installed")

Start = Callable[[dict[str, object]], Any]
SETTINGS: dict[str, object] = {
    "kind": "genicam",
    "device": "127.0.0.1",
    "width": 512,
    "height": 256,
    "exposure_us": 500,
    "transfer_ms": 2000,
    "frozen_tolerance": None,  # the fake's pictures have no noise
}


def plug_in(*more: str) -> subprocess.Popen[bytes]:
    """A fake camera that answers."""
    assert FAKE is not None
    fake = subprocess.Popen([FAKE, "-i", "127.0.0.1", "-s", "LW01", *more], stdout=subprocess.DEVNULL)
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up and not _is_bound():
        time.sleep(0.02)
    return fake


def _is_bound() -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", GVCP_PORT))
        except OSError:
            return True
    return False


def pull(fake: subprocess.Popen[bytes]) -> None:
    fake.kill()
    fake.wait()


@pytest.fixture
def fake() -> Iterator[subprocess.Popen[bytes]]:
    if _is_bound():
        pytest.skip("another GigE Vision camera answers on 127.0.0.1")
    fake = plug_in()
    yield fake
    pull(fake)


def source(**more: object) -> TriggeredSource:
    settings = GenicamCamera.model_validate({**SETTINGS, **more})
    return TriggeredSource(GenicamDevice(settings), settings, 3000, lambda _: None)


def test_the_camera_process_gives_each_part_a_frame_of_its_own(
    warm_camera: Start, fake: subprocess.Popen[bytes]
) -> None:
    assert fake.poll() is None
    camera = warm_camera(SETTINGS)
    answers = [camera.expose(seq) for seq in range(1, 9)]
    assert {type(answer) for answer in answers} == {FrameReady}, answers
    numbers = [int(answer.source.split("#")[1]) for answer in answers]
    assert numbers == list(range(numbers[0], numbers[0] + 8))
    pictures = [camera.frames.read(one.seq, one.slot, one.generation) for one in answers]
    assert {picture.shape for picture in pictures} == {(256, 512)}


@pytest.mark.slow
def test_the_frame_counter_wraps_without_a_part_lost(fake: subprocess.Popen[bytes]) -> None:
    assert fake.poll() is None
    camera = source()  # the fake begins to count at 65400
    camera.open()
    numbers = [int(camera.capture(seq, 0).source.split("#")[1]) for seq in range(1, 150)]
    camera.close()
    assert 65_535 in numbers and numbers[numbers.index(65_535) + 1] == 1
    assert len(numbers) == 149


@pytest.mark.slow
def test_a_pulled_camera_is_told_and_comes_back(warm_camera: Start, fake: subprocess.Popen[bytes]) -> None:
    camera = warm_camera({**SETTINGS, "transfer_ms": 1000})
    assert isinstance(camera.expose(1), FrameReady)
    pull(fake)
    while not any(isinstance(message, Note) and message.kind == "camera_lost" for message in camera.seen):
        failed = camera.expose(2)
        assert isinstance(failed, FrameFailed) and failed.cause is Cause.NO_FRAME
        assert "genicam 127.0.0.1: " in failed.reason
    again = plug_in()
    camera.wait_for(Note, lambda note: note.kind == "camera_back")
    answers = [camera.expose(seq) for seq in range(3, 8)]
    pull(again)
    assert FrameReady in {type(answer) for answer in answers}, answers
    assert camera.process.poll() is None


@pytest.mark.slow
def test_lost_packets_are_incomplete_frames_and_never_half_pictures() -> None:
    if _is_bound():
        pytest.skip("another GigE Vision camera answers on 127.0.0.1")
    fake = plug_in("-r", "4")
    camera = source(width=512, height=512, transfer_ms=1000)
    camera.open()
    seen: list[str] = []
    for seq in range(1, 60):
        try:
            seen.append(str(camera.capture(seq, 0).pixels.shape))
        except PictureError as exc:
            assert "not whole" in exc.reason
            seen.append("incomplete")
        except CameraError as exc:
            seen.append(type(exc).__name__)
    camera.close()
    pull(fake)
    assert {"(512, 512)", "incomplete"} <= set(seen), seen


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"width": 99_999}, "99999: takes a Width from 1 to"),
        ({"pixel_format": "Mono7"}, "'Mono7': does not take this PixelFormat"),
        ({"trigger": "hardware", "line": "Line77"}, "'Line77': does not take this TriggerSource"),
        ({"trigger": "hardware", "line": "Line0"}, "its clock cannot be read"),
        ({"device": "nobody"}, "nobody.*not found"),
    ],
)
def test_what_the_camera_refuses_is_named(fake: subprocess.Popen[bytes], more: dict[str, object], words: str) -> None:
    assert fake.poll() is None
    with pytest.raises(LinewatchError, match=words) as caught:
        source(**more).open()
    assert "\n" not in str(caught.value)


def test_a_camera_that_is_not_there_is_named() -> None:
    if _is_bound():
        pytest.skip("another GigE Vision camera answers on 127.0.0.1")
    with pytest.raises(CameraError, match=r"genicam 127\.0\.0\.1: .*onnect"):
        source().open()
