"""The XPUB side: a slow or dead observer costs neither the line nor the other observers anything."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from linewatch.core.wire import Event, FromLine, Heartbeat, event, unpack
from linewatch.line.observers import SEND_QUEUE, Observers

Socket = zmq.Socket[bytes]


@pytest.fixture
def context() -> Iterator[zmq.Context[Socket]]:
    with zmq.Context() as context:
        yield context


@pytest.fixture
def observers(context: zmq.Context[Socket], tmp_path: Path) -> Iterator[Observers]:
    sender = Observers(context, "t1")
    sender.socket.bind(f"ipc://{tmp_path}/o")
    yield sender
    sender.close()


def subscribe(context: zmq.Context[Socket], tmp_path: Path, prefix: bytes = b"", queue: int = 0) -> Socket:
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, queue)
    socket.setsockopt(zmq.LINGER, 0)
    socket.subscribe(prefix)
    socket.connect(f"ipc://{tmp_path}/o")
    return socket


def wait_for(observers: Observers, count: int) -> list[bool]:
    """Until `count` subscriptions have come: whether each asked for events."""
    said: list[bool] = []
    while len(said) < count:
        assert observers.socket.poll(3000)
        said.append(observers.new_listeners())
    return said


def beat(number: int) -> Heartbeat:
    return Heartbeat(v=1, station="t1", run="r", seq=number, progress=number, t_ns=number)


def received(socket: Socket, wait_ms: int = 300) -> list[FromLine]:
    found = []
    while socket.poll(wait_ms):
        found.append(unpack(socket.recv_multipart()))
    return found


def test_topics_select(observers: Observers, context: zmq.Context[Socket], tmp_path: Path) -> None:
    with subscribe(context, tmp_path, b"t1.event") as socket:
        assert wait_for(observers, 1) == [True]
        observers.send(beat(1))
        observers.send(event("t1", "r", "gap", "run x ended at seq 3", 3, 0))
        (message,) = received(socket)
        assert isinstance(message, Event)


def test_who_wants_only_decisions_missed_no_event(
    observers: Observers, context: zmq.Context[Socket], tmp_path: Path
) -> None:
    with subscribe(context, tmp_path, b"t1.decision"):
        assert wait_for(observers, 1) == [False]
        with subscribe(context, tmp_path):
            assert wait_for(observers, 1) == [True]


def test_a_slow_observer_costs_the_line_and_the_others_nothing(
    observers: Observers, context: zmq.Context[Socket], tmp_path: Path
) -> None:
    count = 5 * SEND_QUEUE
    with subscribe(context, tmp_path, queue=10) as slow, subscribe(context, tmp_path) as quick:
        slow.setsockopt(zmq.RCVBUF, 4096)
        wait_for(observers, 1)
        observers.socket.poll(300)
        observers.new_listeners()
        got: list[FromLine] = []
        longest = 0.0
        for number in range(count):
            began = time.monotonic()
            observers.send(event("t1", "r", "late", "x" * 300, number, 0))
            longest = max(longest, time.monotonic() - began)
            while quick.poll(0):
                got.append(unpack(quick.recv_multipart()))
            if number - len(got) > SEND_QUEUE // 2:  # the quick one shares our thread and needs its turn
                assert quick.poll(3000)
        got += received(quick)
        assert [message.seq for message in got if isinstance(message, Event)] == list(range(count))
        assert observers.behind > 0
        assert longest < 1.0
        seen = [message.seq for message in received(slow) if isinstance(message, Event)]
        assert 0 < len(seen) < count
        assert seen == sorted(set(seen))
