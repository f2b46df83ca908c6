"""Basler cameras over pylon's emulated camera: real frames of the real library, matched by their counter."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from linewatch.cameras.basler import BaslerDevice
from linewatch.cameras.triggered import TriggeredSource
from linewatch.core.cameras import BaslerCamera
from linewatch.core.errors import CameraError, ExtraFrameError, PictureError
from linewatch.core.messages import FrameReady

pytest.importorskip("pypylon", reason="pypylon is not installed: pip install 'linewatch[basler]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of its SWIG bindings
    pytest.mark.timeout(120, method="thread"),  # pylon uses SIGALRM itself
]

Start = Callable[[dict[str, object]], Any]
SETTINGS: dict[str, object] = {
    "kind": "basler",
    "serial": "0815-0000",
    "width": 640,
    "height": 480,
    "exposure_us": 500,
    "transfer_ms": 2000,
}
MAX_CAPTURE_MS = 3000


@pytest.fixture(autouse=True)
def emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of pylon's emulated cameras."""
    monkeypatch.setenv("PYLON_CAMEMU", "2")


def source(**more: object) -> TriggeredSource:
    settings = BaslerCamera.model_validate({**SETTINGS, **more})
    return TriggeredSource(BaslerDevice(settings), settings, MAX_CAPTURE_MS, lambda _: None)


@pytest.fixture
def camera() -> Iterator[TriggeredSource]:
    camera = source()
    camera.open()
    yield camera
    camera.close()


def test_the_camera_process_gives_each_part_a_frame_of_its_own(warm_camera: Start) -> None:
    camera = warm_camera({**SETTINGS, "serial": "0815-0001"})
    answers = [camera.expose(seq) for seq in range(1, 9)]
    assert {type(answer) for answer in answers} == {FrameReady}, answers
    assert [answer.source for answer in answers] == [f"basler 0815-0001#{number}" for number in range(1, 9)]
    pictures = [camera.frames.read(one.seq, one.slot, one.generation) for one in answers]
    assert {picture.shape for picture in pictures} == {(480, 640)}
    assert len({picture.tobytes() for picture in pictures}) == 8


def test_a_frame_that_is_not_whole_is_told_and_the_next_one_is_fine(camera: TriggeredSource) -> None:
    assert camera.capture(1, 0).source.endswith("#1")
    nodes = camera._device._camera.GetNodeMap()  # type: ignore[attr-defined]
    nodes.GetNode("ForceFailedBufferCount").SetValue(1)
    nodes.GetNode("ForceFailedBuffer").Execute()
    with pytest.raises(PictureError, match="incompletely grabbed"):
        camera.capture(2, 0)
    assert camera.capture(3, 0).source.endswith("#3")


def test_a_frame_that_nobody_asked_for_costs_one_part_and_never_answers_another(camera: TriggeredSource) -> None:
    assert camera.capture(1, 0).source.endswith("#1")
    camera._device.fire()
    time.sleep(1)
    with pytest.raises(ExtraFrameError, match="frame 3 where 2 was due"):
        camera.capture(2, 0)
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        try:
            # Started anew: 0 was nobody's.
            assert camera.capture(4, 0).source.endswith("#1")
            break
        except CameraError:
            time.sleep(0.05)
    assert camera.capture(5, 0).source.endswith("#2")


def test_colour_comes_as_the_station_wants_it() -> None:
    camera = source(grey=False)
    camera.open()
    assert camera.capture(1, 0).pixels.shape == (480, 640, 3)
    camera.close()


def test_a_format_of_more_than_eight_bits_is_named() -> None:
    camera = source(pixel_format="Mono12")
    camera.open()
    with pytest.raises(PictureError, match="takes one of Mono8"):
        camera.capture(1, 0)
    camera.close()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"serial": ""}, r"not exactly one camera \(found: 0815-0000, 0815-0001\)"),
        ({"serial": "24000001"}, "serial names no camera that is there"),
        ({"width": 99_999}, "99999: does not take this Width"),
        ({"pixel_format": "Mono7"}, "'Mono7': does not take this PixelFormat"),
        ({"exposure_us": 1e12}, "does not take this ExposureTime"),
        ({"trigger": "hardware", "line": "Line77"}, "'Line77': does not take this TriggerSource"),
        ({"trigger": "hardware"}, "its clock cannot be read, so that frames of a hardware trigger cannot be matched"),
    ],
)
def test_what_the_camera_refuses_is_named(more: dict[str, object], words: str) -> None:
    with pytest.raises(CameraError, match=words) as caught:
        source(**more).open()
    assert "\n" not in str(caught.value)


def test_the_delay_of_the_exposure_is_kept_by_the_camera() -> None:
    device = BaslerDevice(BaslerCamera.model_validate({**SETTINGS, "delay_ms": 7.5}))
    device.open()
    try:
        assert device.number("TriggerDelay") == 7_500
    finally:
        device.close()
    with pytest.raises(CameraError, match=r"12500\.0: does not take this TriggerDelay"):
        source(delay_ms=12.5).open()
