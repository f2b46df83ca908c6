"""The virtual gate as a host sees it through pyserial."""

import binascii
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import serial

from linewatch.sim.belt import VirtualBelt
from linewatch.sim.gate import VirtualGate


@pytest.fixture
def gate() -> Iterator[VirtualGate]:
    with VirtualGate() as gate:
        yield gate


@pytest.fixture
def port(gate: VirtualGate) -> Iterator[serial.Serial]:
    with serial.Serial(gate.path, 115200, timeout=2) as port:
        yield port


def crc(payload: bytes) -> int:
    """CRC-16/CCITT-FALSE, bit by bit as in the catalogue of CRCs: not the way the gate computes it."""
    register = 0xFFFF
    for byte in payload:
        register ^= byte << 8
        for _ in range(8):
            register = (register << 1) ^ (0x1021 if register & 0x8000 else 0)
            register &= 0xFFFF
    return register


def trigger(line: bytes) -> tuple[int, int] | None:
    """(counter, t_us) of a whole trigger line, None for a damaged one."""
    payload, _, check = line.removeprefix(b"$").removesuffix(b"\r\n").partition(b"*")
    if check != b"%04X" % crc(payload):
        return None
    kind, counter, t_us = payload.split(b",")
    assert kind == b"T"
    return int(counter), int(t_us)


def eventually(condition: Callable[[], bool], timeout_s: float = 2.0) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    return condition()


def test_the_crc_is_the_one_in_the_catalogue() -> None:
    assert crc(b"123456789") == 0x29B1 == binascii.crc_hqx(b"123456789", 0xFFFF)


def test_a_part_arrives_as_one_framed_line(gate: VirtualGate, port: serial.Serial) -> None:
    fired = gate.fire()
    line = port.readline()
    assert line.startswith(b"$T,1,") and line.endswith(b"\r\n")
    assert trigger(line) == (fired.counter, fired.t_us)


def test_counters_and_times_rise(gate: VirtualGate, port: serial.Serial) -> None:
    for _ in range(20):
        gate.fire()
    parts = [trigger(port.readline()) for _ in range(20)]
    assert [part[0] for part in parts if part] == list(range(1, 21))
    assert [part[1] for part in parts if part] == sorted(fired.t_us for fired in gate.fired)


def test_a_gate_with_an_encoder_says_where_its_belt_is() -> None:
    belt = VirtualBelt(100_000, first_count=(1 << 32) - 10)
    with VirtualGate(belt=belt) as gate, serial.Serial(gate.path, 115200, timeout=2) as port:
        assert wait_for_count(port) < 1 << 31  # wrapped
        belt.set_speed(0)
        stands = belt.count()
        gate.fire()
        while not (line := port.readline()).startswith(b"$T,1,"):
            assert line
        assert line.partition(b"*")[0].split(b",")[3] == b"%d" % stands
        assert wait_for_count(port) == stands
        belt.jump(-7)
        port.reset_input_buffer()
        port.readline()
        assert wait_for_count(port) == stands - 7


def wait_for_count(port: serial.Serial) -> int:
    """The count of the next whole report."""
    while True:
        payload, _, check = port.readline().removeprefix(b"$").removesuffix(b"\r\n").partition(b"*")
        if payload.startswith(b"E,") and check == b"%04X" % crc(payload):
            return int(payload[2:])


def test_a_light_order_is_recorded_with_its_time(gate: VirtualGate, port: serial.Serial) -> None:
    before = time.monotonic_ns()
    port.write(b"$L,7,250*%04X\r\n" % crc(b"L,7,250"))
    assert eventually(lambda: bool(gate.flashes))
    flash = gate.flashes[0]
    assert (flash.counter, flash.duration_us) == (7, 250)
    assert before < flash.t_ns < time.monotonic_ns()


def test_a_light_order_in_pieces_is_one_order(gate: VirtualGate, port: serial.Serial) -> None:
    order = b"$L,7,250*%04X\r\n" % crc(b"L,7,250")
    port.write(order[:6])
    time.sleep(0.02)
    port.write(order[6:] + order)
    assert eventually(lambda: len(gate.flashes) == 2)


@pytest.mark.parametrize("order", [b"$L,7,250*0000\r\n", b"hello\r\n", b"\xff\x00\r\n", b"\r\n"])
def test_a_damaged_light_order_fires_nothing(gate: VirtualGate, port: serial.Serial, order: bytes) -> None:
    port.write(order)
    assert eventually(lambda: gate.damaged == 1)
    assert gate.flashes == []


def test_a_dropped_frame_leaves_a_gap_in_the_counter(gate: VirtualGate, port: serial.Serial) -> None:
    gate.fire()
    gate.drop_next()
    assert gate.fire().delivery == "dropped"
    gate.fire()
    parts = [trigger(port.readline()) for _ in range(2)]
    assert [part and part[0] for part in parts] == [1, 3]


def test_a_corrupted_frame_fails_its_crc_and_the_next_is_whole(gate: VirtualGate, port: serial.Serial) -> None:
    gate.corrupt_next()
    assert gate.fire().delivery == "corrupted"
    gate.fire()
    assert trigger(port.readline()) is None
    assert trigger(port.readline()) is not None


def test_a_duplicated_frame_comes_twice(gate: VirtualGate, port: serial.Serial) -> None:
    gate.duplicate_next()
    gate.fire()
    assert port.readline() == port.readline()


def test_noise_arrives_byte_for_byte(gate: VirtualGate, port: serial.Serial) -> None:
    # Control characters too: a line that is not raw would eat or change them.
    noise = bytes(range(256))
    gate.send_noise(noise)
    assert port.read(256) == noise


def test_a_host_sees_the_gate_unplugged(gate: VirtualGate, port: serial.Serial) -> None:
    path = Path(gate.path)
    gate.unplug()
    with pytest.raises((serial.SerialException, OSError)):
        port.read(1)
    assert not path.exists()
    assert gate.fire().delivery == "unplugged"


def test_a_replugged_gate_is_found_under_its_link_and_counts_on(tmp_path: Path) -> None:
    with VirtualGate(tmp_path / "gate") as gate:
        gate.fire()
        gate.unplug()
        assert not (tmp_path / "gate").exists()
        gate.fire()
        gate.replug()
        with serial.Serial(gate.path, 115200, timeout=2) as port:
            gate.fire()
            part = trigger(port.readline())
            assert part and part[0] == 3


def test_a_file_in_place_of_the_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "gate").write_text("somebody's")
    with pytest.raises(FileExistsError):
        VirtualGate(tmp_path / "gate")
    assert (tmp_path / "gate").read_text() == "somebody's"


def test_a_host_that_does_not_read_cannot_stop_the_gate(gate: VirtualGate, port: serial.Serial) -> None:
    assert port.is_open
    start = time.monotonic()
    while gate.lost_bytes == 0 and time.monotonic() - start < 5:
        gate.send_noise(b"x" * 1000)
    assert gate.lost_bytes > 0
    fired = time.monotonic()
    gate.fire()
    assert time.monotonic() - fired < 1


def test_a_run_keeps_its_pace_and_count(gate: VirtualGate, port: serial.Serial) -> None:
    start = time.monotonic()
    assert gate.run(3000, count=25, jitter=0.2) == 25
    assert 0.45 < time.monotonic() - start < 2
    assert all(trigger(port.readline()) for _ in range(25))


def test_a_run_ends_after_its_duration(gate: VirtualGate) -> None:
    assert gate.run(6000, duration_s=0.1) == 10


def test_a_run_in_the_background_is_stopped_at_once(gate: VirtualGate) -> None:
    gate.start(30)
    assert eventually(lambda: len(gate.fired) == 1)
    with pytest.raises(RuntimeError, match="already"):
        gate.start(30)
    start = time.monotonic()
    gate.stop()
    assert time.monotonic() - start < 1
    assert gate.run(6000, count=2) == 2


def test_a_fast_clock_drifts() -> None:
    with VirtualGate(drift_ppm=1e6) as gate:
        first = gate.fire()
        time.sleep(0.05)
        second = gate.fire()
    passed_us = (second.t_ns - first.t_ns) / 1000
    assert second.t_us - first.t_us == pytest.approx(2 * passed_us, abs=3)


def test_closing_leaves_no_thread_behind() -> None:
    before = set(threading.enumerate())
    with VirtualGate() as gate:
        gate.start(600)
    assert set(threading.enumerate()) <= before


def test_a_gate_of_its_own_process_reports_what_it_did() -> None:
    command = [sys.executable, "-m", "linewatch.sim.gate_process", "--delay", "0", "--linger", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        path = json.loads(process.stdout.readline())["path"]
        with serial.Serial(path, 115200, timeout=5) as port:
            print("fire\ndrop\nfire\nfire", file=process.stdin, flush=True)
            lines = [port.readline(), port.readline()]
            print("quit", file=process.stdin, flush=True)
            report = json.loads(process.stdout.readline())
    assert process.returncode == 0
    assert [trigger(line) for line in lines] == [
        (fired["counter"], fired["t_us"]) for fired in report["fired"] if fired["delivery"] == "sent"
    ]
    assert [fired["delivery"] for fired in report["fired"]] == ["sent", "dropped", "sent"]


def test_a_gate_of_its_own_process_runs_at_a_pace_when_told() -> None:
    command = [sys.executable, "-m", "linewatch.sim.gate_process", "--delay", "0", "--linger", "0", "--jitter", "0.1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        process.stdout.readline()
        print("pace 1200", file=process.stdin, flush=True)
        time.sleep(0.6)
        print("stop\ncount", file=process.stdin, flush=True)
        count = json.loads(process.stdout.readline())["count"]
        time.sleep(0.2)
        print("quit", file=process.stdin, flush=True)
        report = json.loads(process.stdout.readline())
    assert 3 <= count <= 13
    assert [fired["counter"] for fired in report["fired"]] == list(range(1, count + 1))


def test_a_gate_of_its_own_process_refuses_orders_it_does_not_know() -> None:
    command = [sys.executable, "-m", "linewatch.sim.gate_process", "--delay", "0", "--linger", "0"]
    found = subprocess.run(command, input="pace 0\npace fast\nquit\n", capture_output=True, text=True, timeout=30)
    assert found.returncode == 0
    assert found.stderr == "unknown order: pace 0\nunknown order: pace fast\n"
