"""A camera wired to the gate: frames come by themselves, and each goes to the part whose pulse exposed it."""

import queue
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

from linewatch.cameras.counting import GIGE_16_BIT, CounterRange
from linewatch.cameras.device import Grabbed
from linewatch.cameras.triggered import TriggeredSource
from linewatch.core.cameras import BaslerCamera
from linewatch.core.errors import CameraError
from linewatch.core.messages import Note

SETTINGS = BaslerCamera(kind="basler", width=8, height=6, trigger="hardware", early_ms=5, transfer_ms=400)
CLOCK_AHEAD_NS = 7_000_000_000_000  # of the camera's own clock
TRANSFER_S = 0.03


class Wired:
    """A camera with a trigger input: `pulse` is the wire. What it sends takes some time."""

    name = "wired"

    def __init__(self) -> None:
        self._frames: queue.Queue[Grabbed | None] = queue.Queue()
        self._counter = 65_533
        self.opened = 0

    def pulse(self, value: int, *, lost: bool = False) -> int:
        """Expose a picture of grey `value` now; returns when that was. lost: on the network."""
        t_ns = time.monotonic_ns()
        self._counter = self._counter % 65_535 + 1
        frame = Grabbed(self._counter, t_ns + CLOCK_AHEAD_NS, np.full((6, 8), value, np.uint8))
        if not lost:
            threading.Timer(TRANSFER_S, self._frames.put, (frame,)).start()
        return t_ns

    def unplug(self) -> None:
        self._frames.put(None)

    def open(self) -> CounterRange:
        self.opened += 1
        return GIGE_16_BIT

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...

    def fire(self) -> None:
        raise CameraError(self.name, "is triggered by wire")

    def grab(self, wait_ms: int) -> Grabbed | None:
        try:
            found = self._frames.get(timeout=wait_ms / 1000)
        except queue.Empty:
            return None
        if found is None:
            raise CameraError(self.name, "was removed")
        return found

    def clock_offset_ns(self) -> int | None:
        return -CLOCK_AHEAD_NS


class Line:
    """Parts that pass the gate, their pictures and what is told."""

    def __init__(self) -> None:
        self.device = Wired()
        self.told: list[Note] = []
        self.camera = TriggeredSource(self.device, SETTINGS, 20, self.told.append)
        self.camera.open()
        self._seq = 0

    def part(self, *, exposed: bool = True, lost: bool = False, asked: bool = True) -> str:
        """The next part: its grey value as text when it got its own picture, else the kind of error, `-` unasked."""
        time.sleep(0.06)
        self._seq += 1
        t_ns = self.device.pulse(self._seq, lost=lost) if exposed else time.monotonic_ns()
        if not asked:
            return "-"
        try:
            captured = self.camera.capture(self._seq, t_ns + 1_000_000)
        except CameraError as exc:
            return type(exc).__name__
        assert abs(captured.t_exposed_ns - t_ns) < 1000
        return str(captured.pixels[0, 0])


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    assert line.part() == "CameraError"  # ties the counter to the triggers
    yield line
    line.camera.close()


def test_frames_follow_their_pulses_over_the_wrap_of_the_counter(line: Line) -> None:
    assert [line.part() for _ in range(5)] == ["2", "3", "4", "5", "6"]
    assert line.told == []


def test_a_lost_frame_costs_its_part_alone(line: Line) -> None:
    assert [line.part(), line.part(lost=True), line.part(), line.part()] == ["2", "CameraError", "4", "5"]


def test_parts_that_were_refused_at_once_shift_nothing(line: Line) -> None:
    assert [line.part(asked=asked) for asked in (True, False, False, True, True)] == ["2", "-", "-", "5", "6"]
    assert line.told == []


@pytest.mark.slow
def test_a_missed_pulse_costs_two_parts(line: Line) -> None:
    seen = [line.part(), line.part(exposed=False), line.part(), line.part(), line.part()]
    assert seen == ["2", "CameraError", "CameraError", "5", "6"]


def test_a_pulse_of_nobody_is_told_and_its_picture_given_to_nobody(line: Line) -> None:
    assert line.part() == "2"
    time.sleep(0.06)
    line.device.pulse(99)
    assert [line.part(), line.part(), line.part()] == ["ExtraFrameError", "4", "5"]
    assert [note.kind for note in line.told] == ["extra_frame"]


@pytest.mark.slow
def test_a_camera_that_went_away_is_opened_again_and_tied_anew(line: Line) -> None:
    line.device.unplug()
    give_up = time.monotonic() + 30
    while not line.camera.trouble and time.monotonic() < give_up:
        time.sleep(0.01)
    assert line.part() == "CameraError"
    while line.camera.trouble and time.monotonic() < give_up:
        time.sleep(0.01)
    assert line.device.opened == 2
    assert [line.part(), line.part(), line.part()] == ["CameraError", "4", "5"]
