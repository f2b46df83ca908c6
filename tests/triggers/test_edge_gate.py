"""The switch on a modem line: real thread and real pipe, with a source of changes in place of the ioctl."""

import os
import select
import struct
import time
from collections.abc import Iterator

import pytest

from linewatch.core.clock import MonotonicClock
from linewatch.core.errors import GateError
from linewatch.core.station import EdgeGate as Settings
from linewatch.core.station import Light
from linewatch.triggers.edge import CHATTER, EdgeCounter, EdgeGate
from linewatch.triggers.gate import Edge, GateEvent, GateNews
from linewatch.triggers.keeper import GateKeeper
from linewatch.triggers.modem_line import LineChange

MS = 1_000_000
CHANGE = struct.Struct("<Q?I")


class PipeSource:
    """Changes that the test writes into a pipe; its end is the end of the device."""

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe()

    def change(self, t_ms: float, level: bool, transitions: int = 1) -> None:
        os.write(self._write_end, CHANGE.pack(round(t_ms * MS), level, transitions))

    def unplug(self) -> None:
        os.close(self._write_end)

    def wait(self) -> LineChange:
        data = os.read(self._read_end, CHANGE.size)
        if not data:
            raise OSError("gone")
        return LineChange(*CHANGE.unpack(data))

    def close(self) -> None:
        os.close(self._read_end)


@pytest.fixture
def source() -> Iterator[PipeSource]:
    pipe = PipeSource()
    yield pipe


def gate_on(source: PipeSource, **settings: object) -> EdgeGate:
    gate = EdgeGate(Settings.model_validate({"kind": "edge", "port": "switch", **settings}), Light(kind="none"),
                    MonotonicClock(), lambda: source)  # fmt: skip
    gate.open()
    return gate


def read(gate: EdgeGate | GateKeeper, count: int) -> list[GateNews]:
    found: list[GateNews] = []
    end = time.monotonic() + 3
    while len(found) < count and time.monotonic() < end:
        select.select([gate.fileno()], [], [], 0.05)
        found += gate.read()
    return found


def test_each_rising_edge_is_a_part_at_the_time_the_thread_saw_it(source: PipeSource) -> None:
    gate = gate_on(source)
    for number in range(3):
        source.change(100 * number, True)
        source.change(100 * number + 30, False)
    assert read(gate, 3) == [Edge(1, 0), Edge(2, 100 * MS), Edge(3, 200 * MS)]
    gate.close()
    source.unplug()


def test_bounce_at_both_ends_of_a_pulse_is_one_part(source: PipeSource) -> None:
    gate = gate_on(source, debounce_ms=5)
    for at, level in ((0, True), (0.4, False), (0.9, True), (30, False), (30.5, True), (31, False), (100, True)):
        source.change(at, level)
    assert read(gate, 2) == [Edge(1, 0), Edge(2, 100 * MS)]
    assert gate.bounces == 2
    gate.close()
    source.unplug()


def test_a_lost_device_is_said(source: PipeSource) -> None:
    keeper = GateKeeper(gate_on(source), MonotonicClock())
    source.change(5, True)
    source.unplug()
    found = read(keeper, 2)
    assert found[0] == Edge(1, 5 * MS)
    assert isinstance(found[1], GateEvent)
    assert found[1].kind == "gate_lost"
    assert keeper.fileno() == -1
    keeper.close()


def test_without_debounce_collapsed_edges_are_parts_that_were_missed() -> None:
    counter = EdgeCounter(0, active_high=True, trailing_only=False)
    assert counter.take(LineChange(10, True, 5)) == [Edge(1, 10, missed=True), Edge(2, 10, missed=True), Edge(3, 10)]
    assert counter.take(LineChange(20, False, 1)) == []
    assert counter.take(LineChange(30, False, 2)) == [Edge(4, 30)]


def test_with_debounce_collapsed_edges_are_bounce() -> None:
    counter = EdgeCounter(5 * MS, active_high=True, trailing_only=False)
    assert counter.take(LineChange(10, True, 5)) == [Edge(1, 10)]
    assert counter.bounces == 2


def test_falling_edges_and_ring_indicator() -> None:
    falling = EdgeCounter(0, active_high=False, trailing_only=False)
    assert falling.take(LineChange(10, True, 1)) == []
    assert falling.take(LineChange(20, False, 1)) == [Edge(1, 20)]
    ring = EdgeCounter(0, active_high=True, trailing_only=True)
    assert ring.take(LineChange(10, False, 1)) == [Edge(1, 10)]


def test_a_chattering_switch_is_said() -> None:
    counter = EdgeCounter(5 * MS, active_high=True, trailing_only=False)
    found = [one for number in range(4 * CHATTER) for one in counter.take(LineChange(number * MS, number % 2 == 0, 1))]
    assert found[0] == Edge(1, 0)
    assert [one.kind for one in found[1:] if isinstance(one, GateEvent)] == ["chatter"]


def test_a_driver_that_cannot_wait_for_a_line_is_refused() -> None:
    device, host = os.openpty()
    port = os.ttyname(host)
    gate = EdgeGate(Settings(kind="edge", port=port), Light(kind="none"), MonotonicClock())
    with pytest.raises(GateError, match=r"cannot report changes of cts \(no TIOCMIWAIT\)") as error:
        gate.open()
    assert port in str(error.value)
    os.close(device)
    os.close(host)
