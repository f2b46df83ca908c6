"""A recorder process as the controller starts it, with the camera's ring and records made by hand."""

import os
import select
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
from linewatch.core.messages import AnyMessage, Cause, Decision, Detection, Ready, Record, Stop, Verdict
from linewatch.core.ring import FrameRing
from linewatch.pictures.frames import put_frame
from linewatch.pictures.types import Picture

PROJECT = Path(__file__).parents[2]
PATIENCE_S = 60.0
SIDE = 160
M = TypeVar("M")

MakeRecord = Callable[..., Record]


def record_of(seq: int, verdict: Verdict = Verdict.REJECT, **more: object) -> Record:
    """The record of a part with a crack in the middle, or of a good one."""
    rejected = verdict is Verdict.REJECT
    cause = more.pop("cause", Cause.DEFECT if rejected else Cause.OK)
    label = str(more.pop("label", "crack"))
    found = (Detection(label, 0.9, 70, 60, 20, 30, "reject"),) if cause is Cause.DEFECT else ()
    decision = Decision(
        station="bottle-sim",
        run=str(more.pop("run", "run-1")),
        seq=seq,
        verdict=verdict,
        cause=Cause(str(cause)),
        t_trigger_ns=seq * 1_000_000,
        t_decision_ns=seq * 1_000_000 + 500,
        deadline_ns=seq * 1_000_000 + 900,
        eject_delay_ms=980.0,
        score=0.9 if found else 0.0,
        label=label if found else "",
        counter=seq + 5,
        reason=str(more.pop("reason", "")),
    )
    detections = more.pop("detections", found)
    return Record(decision, detections, wall="2026-11-22T12:00:00.000+00:00", source=f"part-{seq}", **more)  # type: ignore[arg-type]


def noise(seed: int, side: int = SIDE) -> Picture:
    """A picture that no compression makes smaller."""
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


class RecorderChild:
    """One recorder process, the controller's end of its channel, and the camera's ring."""

    def __init__(self, station: Path, runtime: Path, arguments: list[str], slots: int, module: str) -> None:
        self.channel, theirs = channel_pair()
        self.ring = FrameRing.create(runtime, slots, SIDE * SIDE)
        environment = {
            **os.environ,
            CHANNEL_FD: str(theirs.fileno()),
            RUNTIME: str(runtime),
            "PYTHONPATH": str(PROJECT),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(station), *arguments],
            pass_fds=[theirs.fileno()],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        self.seen: list[AnyMessage] = []

    def wait_for(self, kind: type[M], wanted: Callable[[M], bool] = lambda _: True) -> M:
        """The next message of `kind` that is wanted; everything seen meanwhile is kept in `seen`."""
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            select.select([self.channel.fileno()], [], [], 0.1)
            self.seen.extend(self.channel.receive())
            for message in self.seen:
                if isinstance(message, kind) and wanted(message):
                    self.seen.remove(message)
                    return message
        raise AssertionError(f"no {kind.__name__}, only {self.seen[-5:]}")

    def send(self, record: Record, picture: Picture | None = None) -> None:
        """Send `record`, its picture put into the ring first."""
        if picture is not None:
            slot, generation = put_frame(self.ring, record.decision.seq, picture)
            record = Record(record.decision, record.detections, slot, generation, record.source, record.wall)
        assert self.channel.send(record)

    def stop(self) -> tuple[int, str]:
        """Say Stop; exit code and stderr."""
        self.channel.send(Stop())
        return self.ended()

    def ended(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, errors

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.channel.close()


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def station_file(tmp_path: Path, output: Path) -> Callable[..., Path]:
    """Writes the demo station with other storage settings."""

    def write(**storage: object) -> Path:
        document = yaml.safe_load((PROJECT / "stations/bottle-sim.yaml").read_text())
        document["storage"] = {"output": str(output), "floor_mb": 0, **storage}
        path = tmp_path / "station.yaml"
        path.write_text(yaml.safe_dump(document))
        return path

    return write


@pytest.fixture
def start_recorder(tmp_path: Path, station_file: Callable[..., Path]) -> Iterator[Callable[..., RecorderChild]]:
    """Starts recorder processes and kills them after the test."""
    started: list[RecorderChild] = []

    def start(*arguments: str, slots: int = 64, module: str = "linewatch.records", **storage: object) -> RecorderChild:
        child = RecorderChild(station_file(**storage), tmp_path, list(arguments), slots, module)
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()


@pytest.fixture
def warm_recorder(start_recorder: Callable[..., RecorderChild]) -> Callable[..., RecorderChild]:
    """Starts a recorder process and waits until it is ready."""

    def start(*arguments: str, **options: object) -> RecorderChild:
        child = start_recorder(*arguments, **options)
        child.wait_for(Ready)
        return child

    return start


@pytest.fixture
def make_record() -> MakeRecord:
    return record_of


@pytest.fixture
def make_noise() -> Callable[..., Picture]:
    return noise
