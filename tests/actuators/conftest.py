"""A line's real ROUTER, served from a thread, that the tests can silence, deafen and replace."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zmq

from linewatch.core.curve import ClientKeys, new_pair
from linewatch.core.keyring import Keyring
from linewatch.core.messages import Cause, Decision, Verdict
from linewatch.core.station import Station
from linewatch.core.wire import HEARTBEAT_NS, Heartbeat, WireDecision, wire_decision
from linewatch.line.actuator_link import ActuatorLink
from linewatch.line.publisher import Publisher


def make_decision(
    seq: int, run: str = "run-1", verdict: Verdict = Verdict.REJECT, delay_ms: float = 600.0
) -> WireDecision:
    cause = Cause.OK if verdict is Verdict.PASS else Cause.DEFECT
    now_ns = time.monotonic_ns()
    return wire_decision(Decision("t1", run, seq, verdict, cause, now_ns, now_ns, now_ns, delay_ms), "m", "r")


def _decide(decision: WireDecision, link: ActuatorLink) -> None:
    link.decide(decision, time.monotonic_ns())


class FakeLoop:
    """The part of the line's loop that actuators see. up_to: what the heartbeats say. silent: no heartbeats."""

    def __init__(self, endpoint: str, run: str = "run-1") -> None:
        self.endpoint = endpoint
        self.run = run
        self.up_to = 0
        self.silent = False
        self.notes: list[str] = []
        self.unconfirmed = 0
        self.ejections: list[tuple[int, bool]] = []
        self._orders: list[Callable[[ActuatorLink], None]] = []
        self._stop = threading.Event()
        self._bound = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._bound.wait(5)

    def decide(self, *decisions: WireDecision) -> None:
        for decision in decisions:
            self.do(partial(_decide, decision))
        self.do(lambda _: self._raise(max(decision.seq for decision in decisions)))

    def send_raw(self, *frames: bytes) -> None:
        """To every actuator, as it is."""

        def send(link: ActuatorLink) -> None:
            for peer in link._peers.values():
                link.socket.send_multipart([peer.identity, *frames])

        self.do(send)

    def do(self, order: Callable[[ActuatorLink], None]) -> None:
        self._orders.append(order)

    def _raise(self, up_to: int) -> None:
        self.up_to = max(self.up_to, up_to)

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _serve(self) -> None:
        with zmq.Context() as context:
            link = ActuatorLink(context, "t1", self.run)
            link.socket.bind(self.endpoint)
            self._bound.set()
            beat_ns = 0
            while not self._stop.is_set():
                link.socket.poll(5)
                now_ns = time.monotonic_ns()
                self.notes += [note.kind for note in [*link.receive(now_ns), *link.tick(now_ns)]]
                self.unconfirmed = link.unconfirmed
                self.ejections += [(report.seq, report.confirmed) for report in link.ejections()]
                while self._orders:
                    self._orders.pop(0)(link)
                if now_ns >= beat_ns and not self.silent:
                    beat_ns = now_ns + HEARTBEAT_NS
                    link.beat(Heartbeat(v=1, station="t1", run=self.run, seq=self.up_to, progress=1, t_ns=now_ns))
            link.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[FakeLoop]:
    loop = FakeLoop(f"ipc://{tmp_path}/a")
    yield loop
    loop.close()


@pytest.fixture
def new_line() -> Iterator[Callable[[str, str], FakeLoop]]:
    """Another line at an endpoint, under another run."""
    made: list[FakeLoop] = []

    def make(endpoint: str, run: str) -> FakeLoop:
        made.append(FakeLoop(endpoint, run))
        return made[-1]

    yield make
    for loop in made:
        loop.close()


@pytest.fixture
def decision() -> Callable[..., WireDecision]:
    return make_decision


class NetworkLine:
    """A line's real publisher on tcp, turned by a thread of the test. silent: no heartbeats any more."""

    def __init__(self, folder: Path) -> None:
        self.ring = Keyring(folder / "keys")
        self.ring.add("server", *new_pair())
        for name, allowed in (("good", True), ("stranger", False)):
            public = self.ring.add(name, *new_pair())[1]
            if allowed:
                self.ring.allow(public)
        self.public = self.ring.folder / "server.pub"
        self.endpoint = ""
        self.silent = False
        self.decide: list[int] = []
        self._station = _station(self.ring.folder)
        self._folder = folder
        self._stop, self._bound = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._bound.wait(10)

    def keys(self, name: str) -> ClientKeys:
        return ClientKeys.read(self.public, self.ring.folder / f"{name}.key")

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _serve(self) -> None:
        publisher = Publisher(self._station, "run-1", self._folder)
        self.endpoint = publisher.endpoints[1]
        assert publisher.admission is not None
        actuators = publisher.actuators
        handlers: dict[Any, Callable[[], object]] = {
            actuators.socket: lambda: actuators.receive(time.monotonic_ns()),
            **publisher.admission.handlers(),
        }
        poller = zmq.Poller()
        for source in handlers:
            poller.register(source, zmq.POLLIN)
        self._bound.set()
        decided = 0
        while not self._stop.is_set():
            for source, _ in poller.poll(5):
                handlers[source]()
            now_ns = time.monotonic_ns()
            while self.decide:
                decided = self.decide.pop(0)
                publisher.decide(
                    Decision("t1", "run-1", decided, Verdict.REJECT, Cause.DEFECT, now_ns, now_ns, now_ns, 500.0),
                    now_ns,
                )
            publisher.tick(now_ns)
            if not self.silent:
                publisher.beat(decided, 1, now_ns)
        publisher.close()


def _station(keys: Path) -> Station:
    document = {
        "name": "t1",
        "gate": {"kind": "framed", "port": "x"},
        "camera": {"kind": "simulated"},
        "detector": {"model": "m"},
        "acceptance": [{"class": "*"}],
        "rejecter": {"transport_ms": 1000},
        "security": {"folder": str(keys)},
        "endpoints": {"actuators": "tcp://127.0.0.1:*"},
    }
    return Station.model_validate(document)


@pytest.fixture
def network_line(tmp_path: Path) -> Iterator[NetworkLine]:
    line = NetworkLine(tmp_path)
    yield line
    line.close()


class ActuatorCommand:
    """`linewatch actuator` as a process, and what it has said."""

    def __init__(self, endpoint: str, log: Path, *device: str) -> None:
        self.log = log
        options = ["--endpoint", endpoint, "--station", "t1", "--log", str(log), "--tolerance-ms", "400"]
        self.process = subprocess.Popen([sys.executable, "-m", "linewatch", "actuator", *options, *device])

    def acts(self) -> list[dict[str, Any]]:
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def names(self) -> list[str]:
        return [act["act"] for act in self.acts()]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def act(line: FakeLoop, tmp_path: Path) -> Iterator[Callable[..., ActuatorCommand]]:
    """Starts `linewatch actuator` at the line with these options of its device."""
    started: list[ActuatorCommand] = []

    def start(*device: str) -> ActuatorCommand:
        started.append(ActuatorCommand(line.endpoint, tmp_path / f"acts-{len(started)}", *device))
        return started[-1]

    yield start
    for one in started:
        one.close()


def wait_until(condition: Callable[[], Any], limit_s: float = 60.0) -> bool:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


@pytest.fixture
def wait() -> Callable[..., bool]:
    return wait_until
