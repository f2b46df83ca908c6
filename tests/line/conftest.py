"""The daemon as a real process with small real children, a virtual gate, and an observer that keeps everything."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
import zmq
from hypothesis import settings

import linewatch
from linewatch.sim.gate import VirtualGate

settings.register_profile("quick", deadline=None, max_examples=30)
settings.register_profile("thorough", deadline=None, max_examples=2000, stateful_step_count=100)
if settings.get_current_profile_name() != "thorough":
    settings.load_profile("quick")

DAEMON = Path(__file__).parent / "children" / "daemon.py"
PROJECT = Path(linewatch.__file__).parent.parent
STATION: dict[str, Any] = {
    "name": "t1",
    "light": {"kind": "serial_command", "duration_us": 400},
    "camera": {"kind": "simulated"},
    "detector": {"model": "models/m"},
    "acceptance": [{"class": "*"}],
    "line": {"deadline_ms": 800, "max_capture_ms": 700},
    "rejecter": {"transport_ms": 1500},
    "storage": {"output": "out"},
}


class Observer:
    """Hears everything from a thread of its own."""

    def __init__(self, endpoint: str) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, args=(endpoint,))
        self._thread.start()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What came under topic `kind`."""
        return [said for topic, said in list(self.heard) if topic == kind]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [said for said in self.of("event") if said["kind"] == kind]

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _listen(self, endpoint: str) -> None:
        with zmq.Context() as context, context.socket(zmq.SUB) as socket:
            socket.setsockopt(zmq.RECONNECT_IVL, 20)
            socket.setsockopt(zmq.LINGER, 0)
            socket.subscribe(b"")
            socket.connect(endpoint)
            while not self._stop.is_set():
                if socket.poll(20):
                    topic, payload = socket.recv_multipart()
                    self.heard.append((topic.decode().rpartition(".")[2], json.loads(payload)))


class Line:
    """One station: its folder, its gate, its observer, and its daemon while there is one.

    base: seq of the last part before the test; decisions are counted from there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "run"
        self.records = folder / "rec"
        self.records.mkdir()
        self.gate = VirtualGate(folder / "gate")
        self.write_station()
        self.observers = f"ipc://{self.runtime}/t1/observers.sock"
        self.actuators = f"ipc://{self.runtime}/t1/actuators.sock"
        self.observer = Observer(self.observers)
        self.daemon: subprocess.Popen[bytes] | None = None
        self.launched: list[subprocess.Popen[bytes]] = []
        self.base = 0

    def write_station(self, **changes: Any) -> None:
        gate = {"kind": "framed", "port": self.gate.path}
        (self.folder / "station.yaml").write_text(yaml.safe_dump({**STATION, "gate": gate, **changes}))

    def launch(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a daemon and wait for nothing."""
        command = [sys.executable, str(DAEMON), str(self.folder / "station.yaml"), str(self.runtime), str(self.records)]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        with (self.folder / "log").open("ab") as log:
            self.daemon = subprocess.Popen([*command, *arguments], env=environment, stderr=log)
        self.launched.append(self.daemon)
        return self.daemon

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start the daemon, wait until its children are ready and the observer hears it."""
        ready = self.log().count('"child_ready"') + 3
        daemon = self.launch(*arguments)
        assert wait_until(lambda: self.log().count('"child_ready"') == ready), self.log()
        self.observer.heard.clear()
        assert wait_until(lambda: len(self.observer.of("heartbeat")) > 1), self.log()
        self.base = 0
        return daemon

    def settle(self) -> None:
        """Wait until a part passes again, and forget everything so far."""

        def passes() -> bool:
            self.gate.fire()
            time.sleep(0.2)
            decided, beats = self.observer.of("decision"), self.observer.of("heartbeat")
            good = bool(decided) and decided[-1]["cause"] in ("ok", "defect")
            return good and bool(beats) and beats[-1]["seq"] == max(said["seq"] for said in decided)

        assert wait_until(passes), self.log()
        assert wait_until(lambda: set(self.children()) == {"camera", "inspector", "recorder"})
        self.base = int(self.observer.of("heartbeat")[-1]["seq"])
        self.observer.heard.clear()

    def log(self) -> str:
        return (self.folder / "log").read_text() if (self.folder / "log").exists() else ""

    def children(self) -> dict[str, int]:
        """Process ids of the daemon's children by name."""
        assert self.daemon is not None
        task = Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children")
        found = {}
        for pid in task.read_text().split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            name = next((word for word in words if word.endswith(b".py") and b"quick_" in word), b"")
            found[name.rpartition(b"quick_")[2].decode().removesuffix(".py")] = int(pid)
        return found

    def decisions(self, count: int) -> list[dict[str, Any]]:
        """The decisions since `base` by seq, once `count` of them have come and no more follow."""
        wait_until(lambda: len(self.observer.of("decision")) >= count)
        time.sleep(0.1)
        return sorted(self.observer.of("decision"), key=lambda said: int(said["seq"]))

    def seqs(self, count: int) -> list[int]:
        """Seq of these decisions, the first part after `base` being 1."""
        return [int(said["seq"]) - self.base for said in self.decisions(count)]

    @property
    def run(self) -> str:
        return str(self.observer.of("heartbeat")[-1]["run"])

    def kill(self) -> None:
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()

    def stop(self) -> int:
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGTERM)
        return self.daemon.wait(30)

    def close(self) -> None:
        for daemon in self.launched:
            daemon.kill()
            daemon.wait()
        self.gate.close()
        self.observer.close()


def wait_until(condition: Callable[[], Any], limit_s: float = 60.0) -> bool:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def wait() -> Callable[..., bool]:
    return wait_until


@pytest.fixture
def line() -> Iterator[Line]:
    """A station of the test's own, not running."""
    with tempfile.TemporaryDirectory(prefix="lw") as folder:  # short: a socket's path has 107 bytes
        made = Line(Path(folder))
        yield made
        made.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Line]:
    with tempfile.TemporaryDirectory(prefix="lw") as folder:
        made = Line(Path(folder))
        made.start()
        yield made
        made.close()


@pytest.fixture
def running(shared: Line) -> Line:
    """A running station that the tests of a module share; whatever one did to it, it has recovered."""
    shared.settle()
    return shared
