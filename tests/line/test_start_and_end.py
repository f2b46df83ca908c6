"""How a line starts, ends, is killed, and starts again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linewatch.actuators.client import Client
from linewatch.core.curve import ClientKeys, new_pair
from linewatch.core.keyring import Keyring

Wait = Callable[..., bool]


def test_parts_before_the_children_are_ready_are_rejected(line: Any, wait: Wait) -> None:
    line.launch()

    def fire() -> bool:
        line.gate.fire()
        time.sleep(0.05)
        return bool(line.observer.of("decision"))

    assert wait(fire)
    first = line.observer.of("decision")[0]
    assert (first["verdict"], first["cause"]) in (("REJECT", "starting"), ("PASS", "ok"))
    line.settle()
    assert line.stop() == 0


def test_sigterm_under_load_decides_every_part_and_ends_in_time(line: Any, wait: Wait) -> None:
    daemon = line.start("--work-ms", "100")
    line.gate.start(1200, count=400)
    assert wait(lambda: len(line.observer.of("decision")) >= 10)
    children = list(line.children().values())
    began = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(30) == 0
    assert time.monotonic() - began < 20  # 1.8 s on a machine that is not busy
    line.gate.stop()
    assert wait(lambda: line.observer.events("stopped"))
    triggers = int(line.observer.events("stopped")[0]["text"].split()[0])
    decisions = line.decisions(triggers)
    assert line.seqs(triggers) == list(range(1, triggers + 1))
    assert any(said["cause"] == "stopping" for said in decisions)
    assert line.observer.events("stopping")
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert json.loads((line.folder / "out" / "last_run.t1.json").read_text())["clean"] is True


def test_sigkill_takes_the_children_along_and_the_next_run_names_the_gap(line: Any, wait: Wait) -> None:
    line.start()
    got: list[tuple[str, int]] = []
    doubts: set[str] = set()
    done = threading.Event()
    with Client(line.actuators, "t1", "rej") as client:

        def act() -> None:
            while not done.is_set():
                got.extend((one.run, one.seq) for one in client.receive(10))
                doubts.add(client.reject_all)

        acting = threading.Thread(target=act)
        acting.start()
        line.gate.run(1200, count=5)
        line.decisions(5)
        first, children = line.run, list(line.children().values())
        os.kill(children[0], signal.SIGSTOP)
        line.kill()
        assert wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), 10)
        line.start()
        second = line.run
        assert second != first
        line.observer.close()  # who comes later hears of the gap as well
        line.observer = type(line.observer)(line.observers)
        assert wait(lambda: line.observer.events("gap"))
        gap = line.observer.events("gap")[0]
        assert (gap["run"], gap["seq"]) == (second, 5)
        assert gap["text"] == f"run {first} was cut off at seq 5"
        line.gate.run(1200, count=5)
        assert line.seqs(5) == [1, 2, 3, 4, 5]
        wait(lambda: len(got) == 10, 5)
        time.sleep(0.1)
        done.set()
        acting.join()
    assert sorted(got) == sorted([(run, seq) for run in (first, second) for seq in range(1, 6)])
    assert "no heartbeat" in doubts
    assert line.stop() == 0
    assert line.observer.events("actuator_left")


def test_a_child_that_refuses_the_station_ends_the_daemon_with_its_code(line: Any) -> None:
    assert line.launch("--camera-exit", "3").wait(60) == 3


@pytest.mark.slow
def test_a_child_without_its_device_is_tried_again(line: Any, wait: Wait) -> None:
    daemon = line.launch("--camera-exit", "4")
    assert wait(lambda: line.log().count("camera exited: exit code 4") >= 2)
    assert daemon.poll() is None
    second = line.launch()
    assert second.wait(60) == 4
    assert f"another linewatch (process {daemon.pid}) runs this station" in line.log()
    line.daemon = daemon
    assert line.stop() == 0
    assert "Traceback" not in line.log()


def test_what_keeps_the_line_from_starting_is_one_line_and_a_code(line: Any) -> None:
    for changes, code, said in (
        ({"gate": {"kind": "framed", "port": "/dev/nowhere"}}, 4, "/dev/nowhere: does not exist"),
        ({"endpoints": {"observers": "tcp://*:5551"}}, 3, "tcp needs keys"),
    ):
        line.write_station(**changes)
        assert line.launch().wait(60) == code
        assert said in line.log()
    line.write_station()
    os.environ["WATCHDOG_USEC"] = "100000"
    try:
        assert line.launch().wait(60) == 3
    finally:
        del os.environ["WATCHDOG_USEC"]
    assert "WATCHDOG_USEC: 100000: us must be at least 500000" in line.log()
    assert "Traceback" not in line.log()


def listening(process: int) -> set[str]:
    """The TCP ports, `ADDRESS:PORT` in hexadecimal, on which a process takes connections."""
    inodes = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(str(link.readlink()).removeprefix("socket:[").rstrip("]"))
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in inodes}


@pytest.mark.slow
def test_a_line_opens_no_port_that_its_station_file_does_not_name(line: Any, wait: Wait) -> None:
    daemon = line.start()
    assert listening(daemon.pid) == set()
    assert line.stop() == 0
    ring = Keyring(line.folder / "keys")
    ring.add("server", *new_pair())
    secret, public = ring.add("rejecter-1", *new_pair())
    ring.allow(public)
    line.write_station(endpoints={"actuators": "tcp://127.0.0.1:*"})
    daemon = line.start()
    (opened,) = listening(daemon.pid)
    address, _, port = opened.partition(":")
    assert address == "0100007F"
    keys = ClientKeys.read(ring.folder / "server.pub", secret)
    with Client(f"tcp://127.0.0.1:{int(port, 16)}", "t1", "rej", keys=keys) as client:
        got: list[int] = []

        def heard() -> bool:
            got.extend(decision.seq for decision in client.receive(10))
            return not client.reject_all

        assert wait(heard)
        line.gate.fire()
        assert wait(lambda: heard() and got == [1])
        with Client(f"tcp://127.0.0.1:{int(port, 16)}", "t1", "spy") as spy:
            assert wait(lambda: spy.receive(10) or line.observer.events("handshake_refused"))
            assert spy.reject_all
        assert heard()
    assert line.stop() == 0


def test_importing_the_line_loads_nothing_heavy() -> None:
    program = (
        "import sys, linewatch.line.run, linewatch.actuators.client;"
        "print([name for name in ('torch', 'cv2', 'numpy', 'timm', 'torchvision') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "[]"
