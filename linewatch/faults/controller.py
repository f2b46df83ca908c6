"""The deciding process itself killed, and asked to end while parts come."""

import time
from collections.abc import Iterator
from pathlib import Path

from linewatch.core.messages import Cause
from linewatch.faults.children import children_of
from linewatch.faults.fault import Fault, Injected
from linewatch.faults.judging import every, only, said
from linewatch.faults.line import FaultLine
from linewatch.faults.trial import Trial

_RESTART_S = 1.0  # RestartSec of systemd/linewatch@.service
_CHILDREN_S = 5.0
_UNDER_LOAD_S = 0.6
_STARTING = (Cause.STARTING, Cause.NO_FRAME, Cause.TIMEOUT, Cause.CAPTURE_JITTER)


def _kill(line: FaultLine) -> Injected:
    children = children_of(line.daemon.popen.pid).values()
    line.daemon.popen.kill()
    since_ns = time.monotonic_ns()
    line.daemon.popen.wait()
    gone = line.until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in children), _CHILDREN_S)
    _start_again(line)
    broken = () if gone else (f"children of the killed controller still ran after {_CHILDREN_S:g} s",)
    return Injected(since_ns, f"SIGKILL, started again after {_RESTART_S:g} s as systemd does", broken)


def _terminate(line: FaultLine) -> Injected:
    line.gate.stop()
    line.gate.start(2 * line.layout.pace_per_min)
    line.follow(_UNDER_LOAD_S)
    line.daemon.terminate()
    since_ns = time.monotonic_ns()
    code = line.exit_code()
    took_s = (time.monotonic_ns() - since_ns) / 1e9
    _start_again(line)
    broken = () if code == 0 else (f"ended with {code}",)
    return Injected(
        since_ns, f"SIGTERM at twice the pace: exit code {code} after {took_s:.1f} s; started again", broken
    )


def _start_again(line: FaultLine) -> None:
    line.follow(_RESTART_S)
    line.start_daemon()


def _adds_up(trial: Trial) -> Iterator[str]:
    """The run that was asked to end says as many decisions as triggers."""
    for event in trial.said("stopped"):
        triggers, decisions = (int(word) for word in event.text.split() if word.isdecimal())
        if triggers != decisions:
            yield f"it ended with {event.text}"


CONTROLLER_KILLED = Fault(
    "controller killed",
    "children end with it, the rejecter rejects all; the next run names the gap",
    _kill,
    every(said("gap"), only(*_STARTING)),
    quick=True,
)
CONTROLLER_TERMINATED = Fault(
    "SIGTERM under load",
    "each part in flight decided, then REJECT(stopping); exit code 0; the rejecter rejects all until the next run",
    _terminate,
    every(said("stopping"), said("stopped"), only(Cause.STOPPING, *_STARTING), _adds_up),
    quick=True,
)
