"""A real line with a shadow: virtual gate, folder camera, inspector and shadow around detectors of a few lines."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from linewatch.pictures.write import write_png
from linewatch.records.decision_log import DecisionLine, read_decisions
from linewatch.records.storage import run_folders
from linewatch.shadow.log import SHADOW_LOG, ShadowLog, read_shadow_log
from linewatch.sim.gate import VirtualGate

PROJECT = Path(__file__).parents[2]
SIDE_PX = 32
KINDS = ("good", "doubtful", "good", "bad")  # the shadow alone sees what is doubtful, both see what is bad
BRIGHTEST = {"good": 120, "doubtful": 220, "bad": 255}
PICTURES = 400


def wait_until(condition: Callable[[], Any], limit_s: float = 60.0) -> bool:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class ShadowedLine:
    """One station with its daemon. Part n shows a picture of kind KINDS[(n - 1) % 4]."""

    def __init__(self, folder: Path, changes: dict[str, Any]) -> None:
        self.folder = folder
        self.gate = VirtualGate(folder / "gate")
        self._pictures()
        document = {
            "name": "s1",
            "gate": {"kind": "framed", "port": self.gate.path},
            "light": {"kind": "none"},
            "camera": {"kind": "folder", "path": str(folder / "in"), "width": SIDE_PX, "height": SIDE_PX},
            "detector": {"model": "unused"},
            "acceptance": [{"class": "*"}],
            "line": {"deadline_ms": 2000, "min_gap_ms": 5, "max_capture_ms": 1900},
            "rejecter": {"transport_ms": 3000},
            "storage": {"output": str(folder / "out"), "floor_mb": 0},
            "shadow": {"model": "candidate", "memory_mb": 8000},
            **changes,
        }
        self.station = folder / "station.yaml"
        self.station.write_text(yaml.safe_dump(document))
        self.daemon: subprocess.Popen[bytes] | None = None

    def start(self, role: str = "line", part_ms: float | str = 0.0, ready: int = 4) -> None:
        """Start the daemon and wait until so many children are ready."""
        arguments = [role, str(self.station), str(self.folder / "run"), str(part_ms)]
        with (self.folder / "log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [sys.executable, str(Path(__file__).parent / "spots.py"), *arguments],
                env={**os.environ, "PYTHONPATH": str(PROJECT)},
                stderr=log,
            )
        assert wait_until(lambda: self.log().count('"child_ready"') == ready), self.log()

    def fire(self, count: int, gap_s: float = 0.05) -> None:
        for _ in range(count):
            self.gate.fire()
            time.sleep(gap_s)

    def decided(self, count: int) -> list[DecisionLine]:
        """The decision log, once it holds so many."""
        assert wait_until(lambda: len(self._decisions()) >= count), self.log()
        return self._decisions()

    def shadow(self, count: int) -> ShadowLog:
        """The shadow's log, once it has so many parts."""
        assert wait_until(lambda: (self.run / SHADOW_LOG).exists())
        assert wait_until(lambda: len(read_shadow_log(self.run).lines) >= count), read_shadow_log(self.run)
        return read_shadow_log(self.run)

    @property
    def run(self) -> Path:
        (folder,) = run_folders(self.folder / "out")
        return folder

    def child(self, role: str) -> int | None:
        """Process id of the child of this role."""
        assert self.daemon is not None
        task = Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children")
        for pid in task.read_text().split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if role in words or f"linewatch.{role}" in words:
                return int(pid)
        return None

    def log(self) -> str:
        return (self.folder / "log").read_text() if (self.folder / "log").exists() else ""

    def stop(self) -> int:
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(30)

    def close(self) -> None:
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()
        self.gate.close()

    def _decisions(self) -> list[DecisionLine]:
        return [line for folder in run_folders(self.folder / "out") for line in read_decisions(folder)]

    def _pictures(self) -> None:
        (self.folder / "in").mkdir()
        for kind, brightest in BRIGHTEST.items():
            picture = np.random.default_rng(brightest).integers(60, 119, (SIDE_PX, SIDE_PX), dtype=np.uint8)
            picture[8:10, 20:22] = brightest
            write_png(self.folder / f"{kind}.png", picture)
        for number in range(PICTURES):
            (self.folder / "in" / f"{number:04}.png").symlink_to(self.folder / f"{KINDS[number % 4]}.png")


@pytest.fixture
def make_line() -> Iterator[Callable[..., ShadowedLine]]:
    """Makes lines that are not running yet; keywords replace sections of the station file."""
    with tempfile.TemporaryDirectory(prefix="lw") as folder:  # short: a socket's path has 107 bytes
        made: list[ShadowedLine] = []

        def make(**changes: Any) -> ShadowedLine:
            base = Path(folder) / str(len(made))
            base.mkdir()
            made.append(ShadowedLine(base, changes))
            return made[-1]

        yield make
        for line in made:
            line.close()


@pytest.fixture
def wait() -> Callable[..., bool]:
    return wait_until
