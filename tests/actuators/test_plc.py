"""A real PLC (a Modbus/TCP server as a process) driven by a real `linewatch actuator`."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.client import ModbusTcpClient

import linewatch
from linewatch.actuators.devices import parse_address
from linewatch.actuators.output import State
from linewatch.actuators.registers import COILS, EJECTED, LENGTH, REGISTERS, registers
from linewatch.core.errors import UsageError
from linewatch.core.messages import Verdict

Make = Callable[..., Any]
BASE, UNIT = 100, 7
DOCS = Path(linewatch.__file__).parent.parent / "docs" / "plc.md"
COUNTS = st.integers(0, 1 << 40)


def read_word(words: list[int], name: str) -> int:
    """The register as docs/plc.md describes it to a PLC."""
    offset, bits = REGISTERS[name]
    return words[offset] if bits == 16 else words[offset] << 16 | words[offset + 1]


class Plc:
    """The PLC's process, and what stands in it."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.start()

    def start(self) -> None:
        command = [sys.executable, str(Path(__file__).parent / "plc_server.py"), str(self.port), str(BASE)]
        self.process = subprocess.Popen(command)
        self.view = ModbusTcpClient("127.0.0.1", port=self.port)
        end = time.monotonic() + 60
        while not self.view.connect() and time.monotonic() < end:
            time.sleep(0.05)

    def kill(self) -> None:
        self.view.close()
        self.process.kill()
        self.process.wait()

    def coils(self) -> tuple[bool, bool]:
        """Reject and trusted."""
        reject, trusted = self.view.read_coils(BASE, count=2, device_id=UNIT).bits[:2]
        return reject, trusted

    def word(self, name: str) -> int:
        return read_word(self.view.read_holding_registers(BASE, count=LENGTH, device_id=UNIT).registers, name)

    def eject(self) -> None:
        """Its sensor has seen a part leave."""
        seen = self.view.read_holding_registers(BASE + EJECTED, count=1, device_id=UNIT).registers[0]
        self.view.write_registers(BASE + EJECTED, [seen + 1], device_id=UNIT)

    def stands(self) -> bool:
        """Whether the heartbeat has not risen for 0.4 s."""
        before, end = self.word("heartbeat"), time.monotonic() + 0.4
        while self.word("heartbeat") == before:
            if time.monotonic() > end:
                return True
            time.sleep(0.01)
        return False


@pytest.fixture
def plc() -> Iterator[Plc]:
    made = Plc()
    yield made
    made.kill()


@pytest.fixture
def driven(plc: Plc, act: Make, wait: Make) -> Any:
    """A PLC that `linewatch actuator` drives, trusted."""
    command = act("--modbus", f"127.0.0.1:{plc.port}", "--unit", str(UNIT), "--base", str(BASE), "--pulse-ms", "500")
    assert wait(lambda: plc.coils() == (False, True)), command.acts()
    return command


def test_parts_are_blown_off_at_their_time_and_a_silent_line_rejects_all(
    plc: Plc, driven: Any, line: Any, decision: Make, wait: Make
) -> None:
    assert wait(lambda: not plc.stands())
    bad = decision(2, delay_ms=500)
    line.decide(decision(1, verdict=Verdict.PASS), bad)
    assert wait(lambda: plc.coils() == (True, True))
    assert time.monotonic_ns() >= bad.t_blow_ns
    assert wait(lambda: plc.coils() == (False, True))
    assert time.monotonic_ns() >= bad.t_blow_ns + 500_000_000
    assert wait(lambda: [plc.word(name) for name in ("seq", "passes", "rejects", "missed")] == [2, 1, 1, 0])
    line.silent = True
    assert wait(lambda: plc.coils() == (True, False))
    assert (plc.stands(), plc.word("state"), plc.word("version")) == (True, 2, 1)
    line.silent = False
    assert wait(lambda: plc.coils() == (False, True))
    assert wait(lambda: not plc.stands())
    driven.process.send_signal(signal.SIGTERM)
    assert driven.process.wait(10) == 0
    assert (plc.coils(), plc.stands()) == ((True, False), True)


def test_a_plc_that_is_gone_and_back_misses_parts_and_is_driven_again(
    plc: Plc, driven: Any, line: Any, decision: Make, wait: Make
) -> None:
    plc.kill()
    assert wait(lambda: "output_lost" in driven.names())
    line.decide(decision(1, delay_ms=50))
    assert wait(lambda: driven.acts()[-1]["act"] == "missed")
    assert f"127.0.0.1:{plc.port}: " in driven.acts()[-1]["reason"]
    plc.start()
    assert wait(lambda: plc.coils() == (False, True))
    assert wait(lambda: not plc.stands())
    assert wait(lambda: plc.word("missed") == 1)
    assert wait(lambda: driven.names()[-1] == "output_back")


@pytest.mark.slow
def test_a_plc_that_hangs_is_lost_and_a_killed_actuator_is_a_heartbeat_that_stands(
    plc: Plc, driven: Any, wait: Make
) -> None:
    plc.process.send_signal(signal.SIGSTOP)
    assert wait(lambda: "output_lost" in driven.names())
    plc.process.send_signal(signal.SIGCONT)
    assert wait(lambda: driven.names()[-1] == "output_back")
    driven.process.kill()
    driven.process.wait()
    assert plc.stands()


@pytest.mark.slow
def test_a_plc_that_refuses_the_address_is_named(plc: Plc, act: Make, wait: Make) -> None:
    command = act("--modbus", f"127.0.0.1:{plc.port}", "--unit", str(UNIT), "--base", str(BASE + 1000))
    assert wait(lambda: "output_lost" in command.names())
    reason = next(one["reason"] for one in command.acts() if one["act"] == "output_lost")
    assert f"127.0.0.1:{plc.port}: 'exception 2': " in reason
    assert "illegal data address" in reason


@pytest.mark.slow
def test_parts_that_are_not_seen_to_leave_are_counted_and_told(
    plc: Plc, act: Make, line: Any, decision: Make, wait: Make
) -> None:
    options = ["--unit", str(UNIT), "--base", str(BASE), "--confirm-ms", "1500"]
    command = act("--modbus", f"127.0.0.1:{plc.port}", *options)
    assert wait(lambda: plc.coils() == (False, True))
    line.decide(decision(1, delay_ms=100))
    assert wait(lambda: "blow" in command.names())
    plc.eject()
    line.decide(decision(2, delay_ms=100))
    assert wait(lambda: plc.word("unconfirmed") == 1)
    assert [one["seq"] for one in command.acts() if one["act"] == "unconfirmed"] == [2]
    assert wait(lambda: line.ejections == [(1, True), (2, False)])
    assert line.notes[-1] == "ejection_unconfirmed"


@settings(deadline=None)
@given(COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, st.booleans(), st.booleans())
def test_registers_read_back_as_what_was_counted(
    beat: int, seq: int, passes: int, rejects: int, missed: int, reject: bool, trusted: bool
) -> None:
    words = registers(State(reject, trusted, seq, passes, rejects, missed, unconfirmed=5), beat)
    assert all(0 <= word <= 0xFFFF for word in words)
    counted = {"heartbeat": beat, "seq": seq, "passes": passes, "rejects": rejects, "missed": missed}
    for name, value in counted.items():
        assert read_word(words, name) == value % (1 << REGISTERS[name][1])
    assert read_word(words, "unconfirmed") == 5
    assert read_word(words, "state") == trusted + 2 * reject


def test_the_page_for_plc_engineers_says_what_is_written() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|(?: uint(\d+) \|)?", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: int(offset) for name, offset, bits in rows if not bits} == {one: at for at, one in enumerate(COILS)}
    written = {name: (int(offset), int(bits)) for name, offset, bits in rows if bits}
    assert written.pop("ejected") == (EJECTED, 16)
    assert written == REGISTERS
    assert EJECTED >= LENGTH


def test_addresses() -> None:
    assert parse_address("plc") == ("plc", 502)
    assert parse_address("10.0.0.1:1502") == ("10.0.0.1", 1502)
    assert parse_address("[fe80::1%eth0]:503") == ("fe80::1%eth0", 503)
    for wrong in ("", ":502", "plc:", "plc:0", "plc:65536", "a b", "fe80::1", "tcp://plc:502"):
        with pytest.raises(UsageError, match="--modbus"):
            parse_address(wrong)
