"""A serial relay on a real pty, driven by a real `linewatch actuator`; the relay here is written after docs/plc.md."""

import binascii
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import linewatch
from linewatch.cli import main
from linewatch.sim.serial_line import SerialLine

Make = Callable[..., Any]
COMMAND = re.compile(rb"\$(R,([01]),(\d{1,5}))\*([0-9A-F]{4})")
DOCS = Path(linewatch.__file__).parent.parent / "docs" / "plc.md"


class Relay:
    """Rejects unless it was told to let pass, and not longer ago than it was told. said: lines it understood."""

    def __init__(self, folder: Path) -> None:
        self.link = folder / "relay"
        self.said: list[tuple[bytes, int]] = []
        self.nonsense = 0
        self._passes_until_ns = 0
        self.plug()

    @property
    def rejects(self) -> bool:
        return time.monotonic_ns() >= self._passes_until_ns

    def plug(self) -> None:
        self.line = SerialLine(self._hear)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self.line.path)

    def unplug(self) -> None:
        self.link.unlink()
        self.line.close()

    def _hear(self, line: bytes, t_ns: int) -> None:
        found = COMMAND.fullmatch(line)
        if found is None or int(found[4], 16) != binascii.crc_hqx(found[1], 0xFFFF):
            self.nonsense += 1
            return
        self.said.append((found[2], t_ns))
        self._passes_until_ns = t_ns + int(found[3]) * 1_000_000 if found[2] == b"0" else 0


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    made = Relay(tmp_path)
    yield made
    if made.link.is_symlink():
        made.unplug()


@pytest.fixture
def driven(relay: Relay, act: Make, wait: Make) -> Any:
    """A relay that `linewatch actuator` drives, letting parts pass."""
    command = act("--relay", str(relay.link), "--pulse-ms", "300")
    assert wait(lambda: not relay.rejects), command.acts()
    return command


def test_parts_are_blown_off_at_their_time_and_a_silent_line_rejects_all(
    relay: Relay, driven: Any, line: Any, decision: Make, wait: Make
) -> None:
    bad = decision(1, delay_ms=400)
    line.decide(bad)
    assert wait(lambda: relay.said[-1][0] == b"1")
    assert relay.rejects
    assert relay.said[-1][1] >= bad.t_blow_ns
    assert wait(lambda: not relay.rejects)
    assert relay.said[-1][1] >= bad.t_blow_ns + 300_000_000
    line.silent = True
    assert wait(lambda: relay.said[-1][0] == b"1")
    line.silent = False
    assert wait(lambda: not relay.rejects)
    driven.process.send_signal(signal.SIGTERM)
    assert driven.process.wait(10) == 0
    assert wait(lambda: relay.said[-1][0] == b"1")
    assert relay.nonsense == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.slow)])
def test_a_dead_or_hung_process_is_a_reject(relay: Relay, driven: Any, wait: Make, number: signal.Signals) -> None:
    driven.process.send_signal(number)
    assert wait(lambda: relay.rejects)
    time.sleep(0.3)
    assert relay.rejects


@pytest.mark.slow
def test_a_relay_pulled_and_put_back_is_driven_again(relay: Relay, driven: Any, wait: Make) -> None:
    relay.unplug()
    assert wait(lambda: "output_lost" in driven.names())
    assert wait(lambda: relay.rejects)
    relay.plug()
    assert wait(lambda: not relay.rejects)
    assert wait(lambda: driven.names()[-1] == "output_back")


@pytest.mark.slow
def test_a_relay_with_a_sensor_confirms_what_leaves(
    relay: Relay, act: Make, line: Any, decision: Make, wait: Make
) -> None:
    command = act("--relay", str(relay.link), "--confirm-ms", "1000")
    assert wait(lambda: not relay.rejects)
    relay.line.write(counted(7) + b"$C,9*0000\r\nnoise\r\n")
    time.sleep(0.3)
    line.decide(decision(1, delay_ms=100))
    assert wait(lambda: "blow" in command.names())
    relay.line.write(counted(8))
    line.decide(decision(2, delay_ms=100))
    assert wait(lambda: line.ejections == [(1, True), (2, False)])


def counted(count: int) -> bytes:
    body = b"C,%d" % count
    return b"$%b*%04X\r\n" % (body, binascii.crc_hqx(body, 0xFFFF))


def test_the_page_shows_lines_that_are_right() -> None:
    shown = re.findall(r"`(\$R[^`<]+)`", DOCS.read_text(encoding="utf-8"))
    assert [line[:9] for line in shown] == ["$R,0,300*", "$R,1,300*"]
    for line in shown:
        assert int(line[-4:], 16) == binascii.crc_hqx(line[1:-5].encode(), 0xFFFF)


@pytest.mark.parametrize(
    ("device", "code", "said"),
    [
        (["--relay", "/nowhere/relay"], 4, "/nowhere/relay: does not exist; is the relay plugged in?"),
        ([], 2, "--modbus or --relay: must name the device"),
        (["--relay", "/dev/null", "--modbus", "plc"], 2, "exclude each other"),
        (["--modbus", "http://plc"], 2, "--modbus: 'http://plc': must be HOST or HOST:PORT"),
        (["--relay", "/dev/null"], 4, "/dev/null: is no serial port"),
        (["--modbus", "plc", "--line-key", "x"], 2, "belong together"),
        (["--relay-line", "rts"], 2, "--relay-line: 'rts': needs --relay PORT"),
        (["--relay", "/dev/null", "--relay-line", "rts"], 4, "/dev/null: is no serial port"),
        (["--relay", "x", "--relay-line", "dtr", "--confirm-ms", "9"], 2, "--confirm-ms: needs a PLC or a relay that"),
    ],
)
def test_wrong_arguments_are_one_line(
    capsys: pytest.CaptureFixture[str], device: list[str], code: int, said: str
) -> None:
    assert main(["actuator", "--endpoint", "ipc:///tmp/x", "--station", "t1", *device]) == code
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]
