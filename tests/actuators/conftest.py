"""A line's real ROUTER, served from a thread, that the tests can silence, deafen and replace."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import zmq

from linewatch.core.messages import Cause, Decision, Verdict
from linewatch.core.wire import HEARTBEAT_NS, Heartbeat, WireDecision, wire_decision
from linewatch.line.actuator_link import ActuatorLink


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
