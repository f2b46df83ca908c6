"""A line played by the test over real sockets and a real run folder, and the page's real process that watches it."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zmq

import linewatch
from linewatch.core.clock import wall_time
from linewatch.core.messages import Cause, Decision, Detection, Record, Verdict
from linewatch.core.wire import Heartbeat, Status, event, wire_decision
from linewatch.line.observers import Observers
from linewatch.records.chained_log import ChainedLog
from linewatch.records.run_folder import RunFolder

PROJECT = Path(linewatch.__file__).parent.parent
RUN = "20261122T120000-abcdef"
STATION: dict[str, Any] = {
    "name": "t1",
    "recipe": "flint-330",
    "gate": {"kind": "framed", "port": "gate"},
    "camera": {"kind": "simulated", "width": 320, "height": 320},
    "detector": {"model": str(PROJECT / "models" / "bottle-bottom")},
    "acceptance": [{"class": "*"}],
    "line": {"deadline_ms": 100, "max_capture_ms": 40},
    "rejecter": {"transport_ms": 400},
    "storage": {"output": "out", "floor_mb": 0},
    "dashboard": {"port": 0},
}
READY = {"camera": "ready", "inspector": "ready", "recorder": "ready"}


class PlayedLine:
    """Says what a line says: heartbeats by itself every 50 ms while `alive`, the rest when told.

    status: fields of the status that differ from those of a line that is well.
    """

    def __init__(self, folder: Path, name: str = "t1") -> None:
        self.name = name
        self.folder = folder
        self.path = folder / "station.yaml"
        self.write_station()
        (folder / name).mkdir()
        self.alive = True
        self.run = RUN
        self.seq = 0
        self.status: dict[str, Any] = {}
        self.run_folder: RunFolder | None = None
        self._lock = threading.Lock()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._observers = Observers(self._context, name)
        self._observers.socket.bind(f"ipc://{folder}/{name}/observers.sock")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat)
        self._thread.start()

    def write_station(self, **changes: Any) -> None:
        self.path.write_text(yaml.safe_dump({**STATION, "name": self.name, **changes}))

    def decide(
        self, cause: Cause = Cause.OK, found: tuple[Detection, ...] = (), *, took_ms: float = 30, heard: bool = True
    ) -> Record:
        """One part, decided now. heard: whether it gets onto the wire."""
        now_ns = time.monotonic_ns()
        with self._lock:
            self.seq += 1
            decision = Decision(
                station=self.name, run=self.run, seq=self.seq, cause=cause,
                verdict=Verdict.PASS if cause is Cause.OK else Verdict.REJECT,
                t_trigger_ns=now_ns - round(took_ms * 1e6), t_decision_ns=now_ns,
                deadline_ns=now_ns + round((100 - took_ms) * 1e6), eject_delay_ms=380.0,
                score=found[0].score if found else 0.0, label=found[0].label if found else "",
                reason="no inspection in time" if cause is Cause.TIMEOUT else "",
            )  # fmt: skip
            if heard:
                self._observers.send(wire_decision(decision, "bottle-bottom", "flint-330"))
        return Record(
            decision, found, wall=wall_time(), t_exposed_ns=decision.t_trigger_ns + 5_000_000,
            t_inspected_ns=now_ns - 1_000_000, batch=2,
        )  # fmt: skip

    def log(self, record: Record, picture: bool = True) -> None:
        """As the recorder writes it."""
        if self.run_folder is None:
            log = partial(ChainedLog, station="t1")
            self.run_folder = RunFolder(self.folder / "out" / self.run, frames="rejects", open_log=log)
        pixels = np.full((320, 320), 120, np.uint8)
        pixels[100:140, 200:260] = 30
        self.run_folder.record(record, pixels if picture else None)
        self.run_folder.sync()

    def say(self, kind: str, text: str, seq: int = 0) -> None:
        with self._lock:
            self._observers.send(event(self.name, self.run, kind, text, seq, time.monotonic_ns()))

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self._observers.close()
        self._context.term()

    def _beat(self) -> None:
        turn = 0
        while not self._stop.wait(0.05):
            turn += 1
            with self._lock:
                self._observers.new_listeners()
                if self.alive:
                    now_ns = time.monotonic_ns()
                    beat = Heartbeat(v=1, station=self.name, run=self.run, seq=self.seq, progress=turn, t_ns=now_ns)
                    self._observers.send(beat)
                    if turn % 3 == 0:
                        self._observers.send(self._status(now_ns))

    def _status(self, now_ns: int) -> Status:
        well: dict[str, Any] = {
            "children": READY, "gate": True, "triggers": self.seq, "in_flight": 0, "actuators": 1, "unconfirmed": 0,
            "unrecorded": 0, "behind": 0, "reject_rate": 0.1, "failsafe_rate": 0.0, "in_a_row": 0, "alarms": (),
        }  # fmt: skip
        return Status(v=1, station=self.name, run=self.run, t_ns=now_ns, **{**well, **self.status})


class PageProcess:
    """`linewatch dashboard` as its own process. url: its address, with a slash at the end."""

    def __init__(self, station: Path, base: Path, command: str = "dashboard") -> None:
        environment = {**os.environ, "PYTHONPATH": str(PROJECT), "RUNTIME_DIRECTORY": str(base)}
        command_line = [sys.executable, "-m", "linewatch", command, str(station)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command_line, stdout=pipe, stderr=pipe, text=True, env=environment)
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().rpartition(" ")[2].strip()

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and text of an answer."""
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as exc:
            with exc:
                return exc.code, exc.read().decode("utf-8", "replace")

    def stop(self) -> tuple[int, str]:
        """Exit code and what it said on stderr."""
        self.process.terminate()
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


class News:
    """The page's stream, read by a thread."""

    def __init__(self, url: str) -> None:
        self.latest: dict[str, Any] = {}
        self.came: queue.Queue[tuple[float, dict[str, Any]]] = queue.Queue()
        self._answer = urllib.request.urlopen(url + "events", timeout=60)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def until(self, condition: Callable[[dict[str, Any]], Any], limit_s: float = 60.0) -> dict[str, Any]:
        """The first page that fulfils `condition`."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            if self.latest and condition(self.latest):
                return self.latest
            time.sleep(0.01)
        raise AssertionError(self.latest)

    def _read(self) -> None:
        try:
            for line in self._answer:
                if line.startswith(b"data: "):
                    self.latest = json.loads(line.removeprefix(b"data: "))
                    self.came.put((time.monotonic(), self.latest))
        except (OSError, ValueError):  # the process ended, or the test did
            return


@pytest.fixture
def line() -> Iterator[PlayedLine]:
    with tempfile.TemporaryDirectory(prefix="lw") as folder:  # short: a socket's path has 107 bytes
        played = PlayedLine(Path(folder))
        yield played
        played.close()


@pytest.fixture
def page(line: PlayedLine) -> Iterator[PageProcess]:
    process = PageProcess(line.path, line.folder)
    yield process
    process.process.kill()
    process.process.communicate()


@pytest.fixture(scope="module")
def lone_page() -> Iterator[PageProcess]:
    """A page whose line is not there, shared by the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="lw") as folder:
        path = Path(folder) / "station.yaml"
        path.write_text(yaml.safe_dump(STATION))
        process = PageProcess(path, Path(folder))
        yield process
        process.process.kill()
        process.process.communicate()


@pytest.fixture
def news(page: PageProcess) -> News:
    return News(page.url)


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Callable[[], News]:
    """Start the page's process when called, and read its stream."""
    return lambda: News(request.getfixturevalue("page").url)


@dataclass
class Station:
    """A played line with its page."""

    line: PlayedLine
    page: PageProcess


@pytest.fixture
def stations() -> Iterator[Callable[[str], Station]]:
    """Start a station of that name."""
    with contextlib.ExitStack() as stack:

        def start(name: str) -> Station:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lw")))
            line = PlayedLine(folder, name)
            stack.callback(line.close)
            return Station(line, started(stack, PageProcess(line.path, folder)))

        yield start


@pytest.fixture
def fleet_page(tmp_path: Path) -> Iterator[Callable[[dict[str, Any]], PageProcess]]:
    """Start `linewatch fleet` with that file."""
    with contextlib.ExitStack() as stack:

        def start(document: dict[str, Any]) -> PageProcess:
            path = tmp_path / "fleet.yaml"
            path.write_text(yaml.safe_dump({"port": 0, **document}))
            return started(stack, PageProcess(path, tmp_path, "fleet"))

        yield start


def started(stack: contextlib.ExitStack, process: PageProcess) -> PageProcess:
    """Nothing outlives the test, stopped or not."""
    stack.callback(process.process.communicate)
    stack.callback(process.process.kill)
    return process


@pytest.fixture
def read_news() -> Callable[[str], News]:
    """The stream of the page at an address."""
    return News
