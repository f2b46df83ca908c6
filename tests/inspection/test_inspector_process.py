"""The inspector as the controller meets it: a real child process, a real channel, a real ring."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from linewatch.core.channel import CHANNEL_FD, ChannelClosed, channel_pair
from linewatch.core.messages import AnyMessage, Cause, Health, Inspect, Inspection, Note, Ready, Stop, Trigger
from linewatch.core.ring import FrameRing
from linewatch.pictures.frames import put_frame

SCRIPT = Path(__file__).with_name("bright_spot_inspector.py")
SIDE_PX = 32
PATIENCE_S = 90.0
M = TypeVar("M", bound=AnyMessage)


class Station:
    """The controller's and the camera's side of one inspector."""

    def __init__(self, runtime: Path, batch_ms: float) -> None:
        self.runtime = runtime
        self.ring = FrameRing.create(runtime, slots=4, slot_bytes=SIDE_PX * SIDE_PX)
        self.channel, theirs = channel_pair()
        environment = {**os.environ, CHANNEL_FD: str(theirs.fileno()), "LINEWATCH_RUNTIME": str(runtime)}
        self.child = subprocess.Popen(
            [sys.executable, SCRIPT, str(batch_ms)], env=environment, pass_fds=[theirs.fileno()], stderr=subprocess.PIPE
        )
        theirs.close()
        self.ready = self.expect(Ready)

    def expect(self, kind: type[M]) -> M:
        """The next message of this kind; others are let go."""
        return next(self.messages(kind))

    def messages(self, kind: type[M]) -> Iterator[M]:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            select.select([self.channel], [], [], 0.1)
            for message in self.channel.receive():
                if isinstance(message, kind):
                    yield message
        raise AssertionError(f"no {kind.__name__} within {PATIENCE_S} s")

    def photograph(self, seq: int, grey: int = 100, spot: bool = False) -> Inspect:
        picture = np.full((SIDE_PX, SIDE_PX), grey, np.uint8)
        picture[20, 20] = 255 if spot else grey
        slot, generation = put_frame(self.ring, seq, picture)
        return Inspect(seq, slot, generation, time.monotonic_ns() + int(PATIENCE_S * 1e9))

    def inspect(self, request: Inspect) -> Inspection:
        self.channel.send(request)
        return self.expect(Inspection)

    def exit_code(self) -> int:
        return self.child.wait(PATIENCE_S)


Start = Callable[..., Station]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Station] = []

    def one(batch_ms: float = 0.0) -> Station:
        started.append(Station(tmp_path, batch_ms))
        return started[-1]

    yield one
    for station in started:
        station.child.kill()
        station.child.communicate()
        station.channel.close()
        station.ring.close()


def test_ready_names_the_model_then_good_and_bad_parts_are_told_apart(start: Start) -> None:
    station = start()
    assert station.ready == Ready("inspector", "bright spots")
    assert station.inspect(station.photograph(1)).cause is Cause.OK
    bad = station.inspect(station.photograph(2, spot=True))
    assert (bad.seq, bad.cause, bad.detections[0].effect) == (2, Cause.DEFECT, "reject")
    assert bad.t_done_ns <= time.monotonic_ns()


def test_failures_are_named_and_the_next_part_is_inspected(start: Start) -> None:
    station = start()
    causes = [station.inspect(station.photograph(seq, grey)).cause for seq, grey in enumerate((13, 17, 2, 100), 1)]
    assert causes == [Cause.MODEL_ERROR, Cause.NON_FINITE, Cause.EXPOSURE, Cause.OK]
    raised = station.inspect(station.photograph(9, 13))
    assert raised.reason == "RuntimeError: CUDA error: an illegal memory access was encountered"


def test_a_lamp_that_ages_is_told_to_the_controller(start: Start) -> None:
    station = start()
    for seq in range(1, 10):
        station.inspect(station.photograph(seq, 100 if seq <= 5 else 60))
    station.channel.send(station.photograph(10, 60))
    assert station.expect(Note).text.startswith("brightness_drift: 60, was 100")


def test_an_overwritten_frame_is_an_overrun(start: Start) -> None:
    station = start()
    first = station.photograph(1)
    for seq in range(2, 6):
        station.photograph(seq)
    assert station.inspect(first).cause is Cause.OVERRUN


def test_the_ring_of_a_restarted_camera_is_read_and_never_the_old_one(start: Start) -> None:
    station = start()
    assert station.inspect(station.photograph(1)).cause is Cause.OK
    station.ring.close()
    station.ring = FrameRing.create(station.runtime, slots=4, slot_bytes=SIDE_PX * SIDE_PX)
    request = station.photograph(2, spot=True)  # same slot, same generation as part 1 had in the old ring
    assert (request.slot, request.generation) == (0, 2)
    assert station.inspect(request).cause is Cause.DEFECT


def test_a_frame_of_another_part_is_never_inspected(start: Start) -> None:
    station = start()
    request = station.photograph(1)
    answer = station.inspect(Inspect(2, request.slot, request.generation, request.deadline_ns))
    assert answer.cause is Cause.OVERRUN
    assert "holds part 1" in answer.reason


def test_a_part_whose_deadline_has_passed_is_answered_without_being_run(start: Start) -> None:
    station = start()
    request = station.photograph(1, grey=13)  # the network would raise
    answer = station.inspect(Inspect(1, request.slot, request.generation, time.monotonic_ns() - 1))
    assert answer.cause is Cause.TIMEOUT


def test_parts_that_waited_while_it_was_stopped_are_batched_by_deadline(start: Start) -> None:
    station = start()
    station.child.send_signal(signal.SIGSTOP)
    requests = [station.photograph(seq) for seq in (1, 2, 3)]
    for request, deadline_ns in zip(requests, (3, 1, 2), strict=True):
        far = time.monotonic_ns() + deadline_ns * 10**11
        station.channel.send(Inspect(request.seq, request.slot, request.generation, far))
    station.child.send_signal(signal.SIGCONT)
    answers = station.messages(Inspection)
    found = [(answer.seq, answer.batch) for answer in (next(answers), next(answers), next(answers))]
    assert found == [(2, 2), (3, 2), (1, 1)]


def test_health_comes_while_idle_and_counts_the_parts(start: Start) -> None:
    station = start()
    station.inspect(station.photograph(1))
    started = time.monotonic()
    beats = station.messages(Health)
    for _ in range(5):
        beat = next(beats)
    assert time.monotonic() - started < 30.0
    assert beat.progress == 1
    assert 5 < beat.rss_mb < 2000


@pytest.mark.parametrize("how", ["stop", "sigterm"])
def test_told_to_stop_it_answers_what_waits_and_exits_clean(start: Start, how: str) -> None:
    station = start(batch_ms=100)
    for seq in (1, 2, 3):
        station.channel.send(station.photograph(seq))
    answers = station.messages(Inspection)
    next(answers)
    if how == "stop":
        station.channel.send(Stop())
    else:
        station.child.send_signal(signal.SIGTERM)
    assert {next(answers).seq, next(answers).seq} == {2, 3}
    assert station.exit_code() == 0


def test_what_came_before_the_signal_is_answered_although_it_was_not_read_yet(start: Start) -> None:
    station = start(batch_ms=500)
    station.channel.send(station.photograph(1))
    time.sleep(0.2)  # it works on the first and has not looked at the channel since
    for seq in (2, 3):
        station.channel.send(station.photograph(seq))
    station.child.send_signal(signal.SIGTERM)
    answers = station.messages(Inspection)
    assert {next(answers).seq for _ in range(3)} == {1, 2, 3}
    assert station.exit_code() == 0


def test_it_ends_when_the_controller_is_gone(start: Start) -> None:
    station = start()
    station.channel.close()
    assert station.exit_code() == 0


def test_unexpected_and_garbled_messages_are_survived(start: Start) -> None:
    station = start()
    station.channel.send(Trigger(1, 1, 0))
    os.write(station.channel.fileno(), b"\xc1garbage")
    assert station.inspect(station.photograph(1)).cause is Cause.OK


def test_its_death_is_seen_as_a_closed_channel(start: Start) -> None:
    station = start()
    station.channel.send(station.photograph(1, grey=19))
    with pytest.raises(ChannelClosed):
        station.expect(Inspection)
    assert station.exit_code() == 3
