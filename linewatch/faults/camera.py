"""The camera process killed, and stopped so that it is there but says nothing."""

import signal

from linewatch.core.messages import Cause
from linewatch.faults.fault import Fault, Injected
from linewatch.faults.judging import every, only, said
from linewatch.faults.line import FaultLine

_KILLED, _STOPPED = "camera exited", "camera silent"
# A part whose picture was asked for, one that came while there was no camera, one that waited for a picture too long.
_CAUSES = (Cause.NO_FRAME, Cause.STARTING, Cause.TIMEOUT, Cause.CAPTURE_JITTER)


def _kill(line: FaultLine) -> Injected:
    since_ns = line.signal_child("camera", signal.SIGKILL)
    line.wait_for("child_died", _KILLED)
    return Injected(since_ns, "SIGKILL")


def _stop(line: FaultLine) -> Injected:
    since_ns = line.signal_child("camera", signal.SIGSTOP)
    line.wait_for("child_died", _STOPPED)
    return Injected(since_ns, "SIGSTOP")


CAMERA_KILLED = Fault(
    "camera killed",
    "its parts REJECT(no_frame), new ones REJECT(starting); started again",
    _kill,
    every(said("child_died", _KILLED), only(*_CAUSES)),
    quick=True,
)
CAMERA_STOPPED = Fault(
    "camera stopped",
    "its parts REJECT(timeout) at their deadline; noticed by its silence, replaced",
    _stop,
    every(said("child_died", _STOPPED), only(*_CAUSES)),
)
