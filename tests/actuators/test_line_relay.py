"""A relay on a control line. A pty has no such lines: the device is tried through what it drives them by."""

import errno
import os
import time

import pytest

from linewatch.actuators.control_lines import Line, SerialLines
from linewatch.actuators.line_relay import LineRelay
from linewatch.actuators.output import State
from linewatch.cli import main
from linewatch.core.errors import DeviceError

PASS, BLOW, DOUBT = State(reject=False, trusted=True), State(reject=True, trusted=True), State()


class Wires:
    """Two wires and what was set on them; cut, they are those of an adapter that was pulled."""

    def __init__(self) -> None:
        self.level = {"rts": False, "dtr": False}
        self.changes: list[tuple[str, bool]] = []
        self.cut = False
        self.opened = 0

    def open(self, path: str) -> "Wires":
        if self.cut:
            raise DeviceError(path, "does not exist")
        self.opened += 1
        return self

    def set(self, line: Line, on: bool) -> None:
        if self.cut:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.level[line] = on
        self.changes.append((line, on))

    def close(self) -> None:
        self.level = {"rts": False, "dtr": False}


def shown(relay: LineRelay, state: State, seconds: float = 0.0) -> None:
    end = time.monotonic() + seconds
    relay.show(state)
    while time.monotonic() < end:
        time.sleep(0.01)
        relay.show(state)


@pytest.mark.parametrize(("line", "other"), [("rts", "dtr"), ("dtr", "rts")])
def test_on_lets_parts_pass_and_off_rejects(line: Line, other: Line) -> None:
    wires = Wires()
    relay = LineRelay("/dev/x", line, wires.open)
    assert wires.level[line] is False
    relay.show(PASS)
    assert (wires.level[line], relay.trouble) == (True, "")
    relay.show(BLOW)  # at once, not with the next beat
    assert wires.level[line] is False
    relay.show(PASS)
    assert wires.level[line] is True
    relay.close()
    assert wires.level == {"rts": False, "dtr": False}
    assert (line, False) in wires.changes[-2:]
    assert {one for one, _ in wires.changes} == {line, other}


def test_the_other_line_changes_while_decisions_can_be_trusted_and_stands_else() -> None:
    wires = Wires()
    relay = LineRelay("/dev/x", "rts", wires.open)
    shown(relay, PASS, 0.55)
    beats = [on for line, on in wires.changes if line == "dtr"]
    assert len(beats) >= 3
    assert beats == [place % 2 == 0 for place in range(len(beats))]
    wires.changes.clear()
    shown(relay, DOUBT, 0.3)
    assert wires.changes and {line for line, _ in wires.changes} == {"rts"}
    assert wires.level["rts"] is False
    relay.close()


def test_a_port_that_is_pulled_is_trouble_and_opened_again() -> None:
    wires = Wires()
    relay = LineRelay("/dev/x", "rts", wires.open)
    relay.show(PASS)
    wires.cut = True
    shown(relay, BLOW)
    assert relay.trouble == "/dev/x: Input/output error"
    shown(relay, PASS, 0.6)
    assert relay.trouble == "/dev/x: does not exist"
    wires.cut = False
    shown(relay, PASS, 0.6)
    assert (relay.trouble, wires.opened, wires.level["rts"]) == ("", 2, True)
    relay.close()


def test_a_port_without_control_lines_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    device, host = os.openpty()
    port = os.ttyname(host)
    with pytest.raises(DeviceError, match="has no control lines"):
        SerialLines(port)
    station = ["--endpoint", "ipc:///nowhere", "--station", "t1"]
    assert main(["actuator", *station, "--relay", port, "--relay-line", "rts"]) == 4
    assert f"{port}: has no control lines" in capsys.readouterr().err
    os.close(device)
    os.close(host)
