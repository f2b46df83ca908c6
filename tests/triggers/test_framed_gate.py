"""The framed gate on a real pty: lost, damaged, doubled and noisy messages, and the cable pulled."""

import os
import select
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from linewatch.core.clock import MonotonicClock
from linewatch.core.errors import GateError, StationError
from linewatch.core.station import EdgeGate, FramedGate, Light, Station
from linewatch.sim.gate import VirtualGate, frame
from linewatch.triggers import framed
from linewatch.triggers.gate import BeltCount, Edge, Gate, GateEvent, GateNews
from linewatch.triggers.keeper import GateKeeper, build_gate

LIGHT = Light(kind="serial_command", duration_us=400)


@pytest.fixture
def virtual(tmp_path: Path) -> Iterator[VirtualGate]:
    with VirtualGate(tmp_path / "gate") as gate:
        yield gate


@pytest.fixture
def gate(virtual: VirtualGate) -> Iterator[GateKeeper]:
    keeper = open_gate(virtual.path)
    yield keeper
    keeper.close()


def open_gate(port: str, hold_ms: float = 200.0) -> GateKeeper:
    clock = MonotonicClock()
    settings = FramedGate(kind="framed", port=port)
    keeper = GateKeeper(framed.FramedGate(settings, LIGHT, clock, hold_ms), clock)
    keeper.open()
    return keeper


def read(gate: Gate, parts: int, limit_s: float = 5.0) -> tuple[list[Edge], list[str]]:
    """Poll as the line does until `parts` edges have come; all edges and the kinds of all events."""
    edges: list[Edge] = []
    kinds: list[str] = []
    end = time.monotonic() + limit_s
    while len(edges) < parts and time.monotonic() < end:
        wait_s = 0.05 if gate.next_due_ns() is None else 0.005
        select.select([gate.fileno()] if gate.fileno() >= 0 else [], [], [], wait_s)
        for found in gate.read():
            if isinstance(found, GateEvent):
                kinds.append(found.kind)
            elif isinstance(found, Edge):
                edges.append(found)
    return edges, kinds


def test_edges_come_with_counter_and_time(gate: GateKeeper, virtual: VirtualGate) -> None:
    fired = [virtual.fire() for _ in range(3)]
    edges, kinds = read(gate, 3)
    assert [(edge.counter, edge.t_gate_us) for edge in edges] == [(one.counter, one.t_us) for one in fired]
    assert all(one.t_ns <= edge.t_ns <= time.monotonic_ns() for one, edge in zip(fired, edges, strict=True))
    assert kinds == []
    assert not any(edge.missed for edge in edges)


def test_counts_of_the_encoder_come_with_the_parts_and_between_them(gate: GateKeeper, virtual: VirtualGate) -> None:
    virtual.fire()
    virtual.send_noise(frame("T,2,5,4294967295") + frame("E,3"))
    found: list[GateNews] = []
    while not any(isinstance(one, BeltCount) for one in found):
        select.select([gate.fileno()], [], [], 2)
        found += gate.read()
    counts = [(type(one), one.count) for one in found if not isinstance(one, GateEvent)]
    assert counts == [(Edge, None), (Edge, 4294967295), (BeltCount, 3)]


def test_a_lost_message_is_a_missed_part_between_its_neighbours(gate: GateKeeper, virtual: VirtualGate) -> None:
    virtual.fire()
    read(gate, 1)
    time.sleep(0.02)
    virtual.drop_next()
    virtual.fire()
    time.sleep(0.02)
    last = virtual.fire()
    (missed, good), kinds = read(gate, 2)
    assert (missed.counter, missed.missed, good.counter, good.missed) == (2, True, 3, False)
    assert virtual.fired[0].t_ns < missed.t_ns < last.t_ns
    assert kinds == ["missed_triggers"]


def test_a_damaged_message_is_a_missed_part_at_its_own_time(gate: GateKeeper, virtual: VirtualGate) -> None:
    virtual.fire()
    read(gate, 1)
    virtual.corrupt_next()
    damaged = virtual.fire()
    select.select([gate.fileno()], [], [], 2)
    assert [type(found) for found in gate.read()] == [GateEvent]
    time.sleep(0.1)
    virtual.fire()
    (missed, good), _ = read(gate, 2)
    assert (missed.counter, missed.missed, good.missed) == (2, True, False)
    assert missed.t_ns - damaged.t_ns < good.t_ns - missed.t_ns


def test_a_damaged_message_is_not_waited_for_for_ever(gate: GateKeeper, virtual: VirtualGate) -> None:
    virtual.fire()
    read(gate, 1)
    virtual.corrupt_next()
    virtual.fire()
    (missed,), kinds = read(gate, 1)
    assert (missed.counter, missed.missed) == (2, True)
    assert kinds == ["bad_frame", "desync"]
    virtual.fire()
    (good,), _ = read(gate, 1)
    assert (good.counter, good.missed) == (3, False)


def test_noise_is_no_part(gate: GateKeeper, virtual: VirtualGate) -> None:
    virtual.fire()
    virtual.send_noise()
    virtual.fire()
    virtual.send_noise(b"\x00\xff\x80 hello \r\n")
    virtual.fire()
    edges, kinds = read(gate, 3)
    assert [(edge.counter, edge.missed) for edge in edges] == [(1, False), (2, False), (3, False)]
    assert kinds == ["bad_frame", "bad_frame"]


def test_a_doubled_message_is_one_part(gate: GateKeeper, virtual: VirtualGate) -> None:
    virtual.duplicate_next()
    virtual.fire()
    virtual.fire()
    edges, kinds = read(gate, 2)
    assert [edge.counter for edge in edges] == [1, 2]
    assert kinds == ["duplicate_trigger"]


@pytest.mark.parametrize(("counters", "kind"), [((5000, 1, 2), "gate_restarted"), ((1, 5000, 5001), "desync")])
def test_a_gate_that_starts_again(gate: GateKeeper, virtual: VirtualGate, counters: tuple[int, ...], kind: str) -> None:
    for number, counter in enumerate(counters):
        virtual.send_noise(frame(f"T,{counter},{number}"))
    edges, kinds = read(gate, 3)
    assert [(edge.counter, edge.missed) for edge in edges] == [(counter, False) for counter in counters]
    assert kinds == [kind]


def test_the_light_is_fired_through_the_gate(gate: GateKeeper, virtual: VirtualGate) -> None:
    gate.fire_light(41)
    end = time.monotonic() + 3
    while not virtual.flashes and time.monotonic() < end:
        time.sleep(0.005)
    assert [(flash.counter, flash.duration_us) for flash in virtual.flashes] == [(41, 400)]


def test_a_gate_that_does_not_read_is_said_and_not_waited_for() -> None:
    device, host = os.openpty()
    keeper = open_gate(os.ttyname(host))
    began = time.monotonic()
    for counter in range(2000):
        keeper.fire_light(counter)
    assert time.monotonic() - began < 2
    assert any(isinstance(found, GateEvent) and found.kind == "light_failed" for found in keeper.read())
    keeper.close()
    os.close(device)
    os.close(host)


def test_a_pulled_cable_is_said_and_the_gate_comes_back(gate: GateKeeper, virtual: VirtualGate) -> None:
    virtual.fire()
    read(gate, 1)
    virtual.unplug()
    _, kinds = read(gate, 1, limit_s=0.3)
    assert kinds == ["gate_lost"]
    assert gate.fileno() == -1
    virtual.fire()
    virtual.replug()
    _, kinds = read(gate, 1, limit_s=1.2)
    assert kinds == ["gate_back"]
    virtual.fire()
    (lost, good), _ = read(gate, 2)
    assert (lost.counter, lost.missed, good.counter, good.missed) == (2, True, 3, False)


def test_a_cable_pulled_while_a_damaged_message_waits_does_not_spin(gate: GateKeeper, virtual: VirtualGate) -> None:
    virtual.fire()
    read(gate, 1)
    virtual.corrupt_next()
    virtual.fire()
    time.sleep(0.05)
    gate.read()
    virtual.unplug()
    (missed,), _ = read(gate, 1)
    assert missed.counter == 2
    assert gate.next_due_ns() is not None
    gate.read()
    assert (gate.next_due_ns() or 0) > time.monotonic_ns() - 50_000_000


def station(tmp_path: Path, **changes: object) -> Station:
    plain: dict[str, object] = {
        "name": "t1", "camera": {"kind": "simulated"}, "detector": {"model": "x"}, "acceptance": [{"class": "*"}],
        "rejecter": {"transport_ms": 1000}, "gate": {"kind": "framed", "port": str(tmp_path / "none")},
    }  # fmt: skip
    return Station.model_validate({**plain, **changes})


def test_a_port_that_does_not_exist(tmp_path: Path) -> None:
    keeper = build_gate(station(tmp_path), MonotonicClock())
    with pytest.raises(GateError, match=r"none: does not exist"):
        keeper.open()


def test_a_port_that_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("a file")
    with pytest.raises(GateError, match="is no serial port"):
        build_gate(station(tmp_path), MonotonicClock()).open()


def test_a_port_that_is_in_use(virtual: VirtualGate, gate: GateKeeper) -> None:
    with pytest.raises(GateError, match="is in use by another program") as error:
        open_gate(virtual.path)
    assert virtual.path in str(error.value)
    assert error.value.exit_code == 4
    virtual.fire()
    assert len(read(gate, 1)[0]) == 1


def test_a_switch_cannot_fire_a_light_by_command(tmp_path: Path) -> None:
    edge = EdgeGate(kind="edge", port=str(tmp_path / "none"))
    with pytest.raises(StationError, match=r"light\.kind"):
        build_gate(station(tmp_path, gate=edge.model_dump(), light=LIGHT.model_dump()), MonotonicClock())
