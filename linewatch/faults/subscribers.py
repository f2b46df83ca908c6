"""Those who listen: an observer that stops reading and dies, and an actuator that dies."""

import os
import sys
import time
from pathlib import Path

from linewatch.core.errors import CheckFailed
from linewatch.faults.fault import Fault, Injected
from linewatch.faults.judging import every, only, said
from linewatch.faults.line import FaultLine

_DEAF_S = 1.5
_START_S = 30.0


def _deafen(line: FaultLine) -> Injected:
    command = [sys.executable, "-m", "linewatch.faults.deaf_observer", line.endpoint("observers")]
    observer = line.spawn("deaf-observer", command, os.environ)
    if not line.until(lambda: _is_stopped(observer.popen.pid), 30):
        raise CheckFailed(observer.log, f"the observer heard nothing: {observer.last_words()}")
    seconds = line.let_parts_come(_DEAF_S)
    observer.popen.kill()
    line.follow(_DEAF_S / 3)
    return Injected(time.monotonic_ns(), f"an observer stopped by SIGSTOP, killed after {seconds:.1f} s")


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def _kill_actuator(line: FaultLine) -> Injected:
    line.rejecter.popen.kill()
    line.wait_for("unconfirmed", "rejecter did not acknowledge")
    line.start_rejecter()
    since_ns = time.monotonic_ns()
    line.wait_for("actuator_registered", limit_s=_START_S)
    return Injected(since_ns, "SIGKILL, started again once the line had missed it")


OBSERVER_DEAF = Fault(
    "observer slow, then dead",
    "nobody waits for it: every part decided as always",
    _deafen,
    only(),
)
ACTUATOR_KILLED = Fault(
    "actuator killed",
    "every part decided; what it does not acknowledge is counted and said; trusts the line again when back",
    _kill_actuator,
    every(only(), said("unconfirmed"), said("actuator_registered")),
)
