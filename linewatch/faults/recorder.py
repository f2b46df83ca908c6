"""The recorder killed, and stopped: no decision may wait for it."""

import signal
import time

from linewatch.faults.fault import Fault, Injected
from linewatch.faults.judging import every, logged, only, said
from linewatch.faults.line import FaultLine
from linewatch.faults.silencing import end, killed

_STOPPED_S = 1.5


def _stop(line: FaultLine) -> Injected:
    line.signal_child("recorder", signal.SIGSTOP)
    seconds = line.let_parts_come(_STOPPED_S)
    line.signal_child("recorder", signal.SIGCONT)
    return Injected(time.monotonic_ns(), f"SIGSTOP for {seconds:.1f} s, then SIGCONT")


RECORDER_KILLED = Fault(
    "recorder killed",
    "every part decided as always; started again; the log is complete",
    killed("recorder"),
    every(said("child_died", end("recorder")), only(), logged),
    quick=True,
)
RECORDER_STOPPED = Fault(
    "recorder stopped",
    "every part decided as always, and logged once it goes on",
    _stop,
    every(only(), logged),
)
