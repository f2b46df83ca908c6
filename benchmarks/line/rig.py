"""What is measured: the daemon or the floor as a process, its gate, and a subscriber that waits for its answers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import yaml
import zmq

from linewatch.core.messages import Cause
from linewatch.core.wire import FromLine, WireDecision, unpack
from linewatch.sim.gate import VirtualGate
from linewatch.sim.render import render
from linewatch.sim.scene import describe

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
PICTURES = 200_000  # names for one picture: more triggers than any load has
SIDE_PX = 448
READY_S = 120.0


@dataclass
class Rig:
    """One process under load. fired_ns: when each trigger left the gate; that of part `seq` stands at seq - 1."""

    process: subprocess.Popen[bytes]
    gate: VirtualGate
    socket: zmq.Socket[bytes]
    fired_ns: list[int]

    def fire(self) -> None:
        self.fired_ns.append(self.gate.fire().t_ns)

    def heard(self, wait_ms: int) -> Iterator[tuple[WireDecision, int]]:
        """Every decision that has come within `wait_ms`, with the time at which it came."""
        if self.socket.poll(wait_ms):
            with suppress(zmq.Again):
                while True:
                    message: FromLine = unpack(self.socket.recv_multipart(zmq.NOBLOCK))
                    if isinstance(message, WireDecision):
                        yield message, time.monotonic_ns()

    def cpu_s(self) -> float:
        """Processor time that the process itself has used, without its children."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def child(self, module: str) -> int | None:
        """Process id of the child whose command line names `module`, none while it is being restarted."""
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for pid in task.read_text().split():
            with suppress(OSError):
                if module in Path(f"/proc/{pid}/cmdline").read_text():
                    return int(pid)
        return None


@contextmanager
def line(folder: Path, work_ms: str, **changes: Any) -> Iterator[Rig]:
    """The daemon, ready. work_ms: how long its null detector takes, or `model`. changes: to the station file."""
    folder.mkdir()
    gate = VirtualGate(folder / "gate")
    station = folder / "station.yaml"
    station.write_text(yaml.safe_dump({**_station(folder, gate), **changes}))
    command = [sys.executable, str(HERE / "daemon.py"), str(station), str(folder / "run"), work_ms]
    with _running(command, folder, gate, f"ipc://{folder}/run/bench/observers.sock") as rig:
        _await(rig, lambda heard: heard.cause in (Cause.OK, Cause.DEFECT))
        yield rig


@contextmanager
def floor(folder: Path) -> Iterator[Rig]:
    """The bare poll loop."""
    folder.mkdir()
    gate, endpoint = VirtualGate(folder / "gate"), f"ipc://{folder}/floor.sock"
    with _running([sys.executable, str(HERE / "floor.py"), gate.path, endpoint], folder, gate, endpoint) as rig:
        _await(rig, lambda _: True)
        yield rig


@contextmanager
def _running(command: list[str], folder: Path, gate: VirtualGate, endpoint: str) -> Iterator[Rig]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with zmq.Context() as context, context.socket(zmq.SUB) as socket, (folder / "log").open("wb") as log:
        socket.setsockopt(zmq.RECONNECT_IVL, 20)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.subscribe(b"bench.decision")
        socket.connect(endpoint)
        process = subprocess.Popen(command, env=environment, stderr=log)
        try:
            yield Rig(process, gate, socket, [])
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            gate.close()


def _await(rig: Rig, good: Any) -> None:
    """Fire until an answer is as it shall be."""
    end_s = time.monotonic() + READY_S
    while time.monotonic() < end_s:
        if rig.process.poll() is not None:
            raise SystemExit(f"bench-line: the process ended with code {rig.process.returncode}")
        rig.fire()
        heard = list(rig.heard(300))
        if any(good(said) for said, _ in heard):
            heard += rig.heard(500)
            # What was fired before the port was open has no seq.
            del rig.fired_ns[: len(rig.fired_ns) - max(said.seq for said, _ in heard)]
            return
    raise SystemExit(f"bench-line: no answer within {READY_S:g} s")


def _station(folder: Path, gate: VirtualGate) -> dict[str, Any]:
    return {
        "name": "bench",
        "gate": {"kind": "framed", "port": gate.path},
        "light": {"kind": "none"},
        "camera": {"kind": "folder", "path": str(pictures(folder, SIDE_PX)), "width": SIDE_PX, "height": SIDE_PX},
        "detector": {"model": str(PROJECT / "models" / "bottle-bottom")},
        "acceptance": [{"class": "*"}],
        "line": {"deadline_ms": 100, "min_gap_ms": 5, "max_capture_ms": 90},
        "rejecter": {"transport_ms": 300},
        "storage": {"output": str(folder / "out"), "crops": False, "frames": "none"},
    }


def pictures(folder: Path, side_px: int, count: int = PICTURES) -> Path:
    """A folder below `folder` in which one rendered bottle has `count` names, one for each trigger."""
    made = folder / "pictures"
    made.mkdir()
    first = made / "000000.png"
    cv2.imwrite(str(first), render(describe(1, 0, 0.0), side_px).pixels)
    for number in range(1, count):
        (made / f"{number:06}.png").symlink_to(first.name)
    return made
