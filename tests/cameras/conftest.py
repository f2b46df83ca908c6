"""A camera process as the controller starts it: own command, inherited channel, ring in a runtime folder."""

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
import yaml

from linewatch.core.channel import CHANNEL_FD, channel_pair
from linewatch.core.child import RUNTIME
from linewatch.core.messages import AnyMessage, Expose, FrameFailed, FrameReady, Ready
from linewatch.pictures.frames import RingReader
from linewatch.pictures.types import Picture
from linewatch.pictures.write import write_png

PROJECT = Path(__file__).parents[2]
PATIENCE_S = 60.0
M = TypeVar("M")


class CameraChild:
    """One camera process and the controller's end of its channel."""

    def __init__(self, station: Path, runtime: Path) -> None:
        self.channel, theirs = channel_pair()
        environment = {
            **os.environ,
            CHANNEL_FD: str(theirs.fileno()),
            RUNTIME: str(runtime),
            "PYTHONPATH": str(PROJECT),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "linewatch.cameras", str(station)],
            pass_fds=[theirs.fileno()],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        self.frames = RingReader(runtime)
        self.seen: list[AnyMessage] = []

    def wait_for(
        self, kind: type[M], wanted: Callable[[M], bool] = lambda _: True, patience_s: float = PATIENCE_S
    ) -> M:
        """The next message of `kind` that is wanted; everything seen meanwhile is kept in `seen`."""
        give_up = time.monotonic() + patience_s
        while time.monotonic() < give_up:
            select.select([self.channel.fileno()], [], [], 0.1)
            for message in self.channel.receive():
                self.seen.append(message)
            for message in self.seen:
                if isinstance(message, kind) and wanted(message):
                    self.seen.remove(message)
                    return message
        raise AssertionError(f"no {kind.__name__}, only {self.seen[-5:]}")

    def expose(self, seq: int) -> FrameReady | FrameFailed:
        self.channel.send(Expose(seq, time.monotonic_ns()))
        return self.wait_for(FrameReady | FrameFailed, lambda answer: answer.seq == seq)  # type: ignore[arg-type]

    def picture(self, seq: int) -> Picture:
        answer = self.expose(seq)
        assert isinstance(answer, FrameReady), answer
        return self.frames.read(seq, answer.slot, answer.generation)

    def ended(self) -> tuple[int, str]:
        """Exit code and stderr, once it has exited."""
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, errors

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.channel.close()


def station_file(folder: Path, camera: dict[str, object]) -> Path:
    """The demo station with another camera."""
    document = yaml.safe_load((PROJECT / "stations/bottle-sim.yaml").read_text())
    document["camera"] = camera
    path = folder / "station.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def numbered_folder(tmp_path: Path) -> Path:
    """Five pictures of 64 x 48; picture n is grey n * 10."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(1, 6):
        write_png(folder / f"{number}.png", np.full((48, 64), number * 10, np.uint8))
    return folder


@pytest.fixture
def start_camera(tmp_path: Path) -> Iterator[Callable[[dict[str, object]], CameraChild]]:
    """Starts camera processes and kills them after the test."""
    started: list[CameraChild] = []

    def start(camera: dict[str, object]) -> CameraChild:
        child = CameraChild(station_file(tmp_path, camera), tmp_path)
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()


@pytest.fixture
def warm_camera(
    start_camera: Callable[[dict[str, object]], CameraChild],
) -> Callable[[dict[str, object]], CameraChild]:
    """Starts a camera process and waits until it is ready."""

    def start(camera: dict[str, object]) -> CameraChild:
        child = start_camera(camera)
        child.wait_for(Ready)
        return child

    return start
