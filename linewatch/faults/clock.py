"""The wall clock stepped by an hour, forth and back, for the daemon alone: the machine's own clock is left as it is."""

import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from linewatch.core.messages import Cause
from linewatch.faults.fault import Fault, Injected, NotShown
from linewatch.faults.judging import only
from linewatch.faults.line import FaultLine
from linewatch.records.decision_log import has_log, read_decisions

_PLACES = ("lib/*/faketime", "lib64/faketime", "lib/faketime", "local/lib/faketime")
_STEPS = ("+1h", "-1h", "+0")
_STEP_S = 1.0
_LEAST_JUMP = timedelta(minutes=50)


def _step(line: FaultLine) -> Injected:
    library = _library()
    clock = line.folder / "wall-clock"
    clock.write_text("+0\n")
    line.gate.stop()
    line.until(line.all_decided, 10)
    line.daemon.terminate()
    line.exit_code()
    line.start_daemon(
        LD_PRELOAD=str(library), FAKETIME_TIMESTAMP_FILE=str(clock), FAKETIME_NO_CACHE="1", DONT_FAKE_MONOTONIC="1"
    )
    line.settle()
    line.gate.start(line.layout.pace_per_min)
    for step in _STEPS:
        clock.write_text(f"{step}\n")
        line.let_parts_come(_STEP_S)
    since_ns = time.monotonic_ns()
    line.let_parts_come(_STEP_S)  # the recorder writes the last of them
    broken = () if _jumped(line) else ("the log's wall clock did not step: the fault was not felt",)
    return Injected(since_ns, "daemon under libfaketime, its CLOCK_REALTIME stepped by +1 h, -2 h, +1 h", broken)


def _library() -> Path:
    found = [path for place in _PLACES for path in Path("/usr").glob(f"{place}/libfaketimeMT.so.1")]
    if not found:
        raise NotShown("needs libfaketime, as the machine's own clock must not be touched")
    return found[0]


def _jumped(line: FaultLine) -> bool:
    """Whether the wall times of the run's log jump forth and back, while its monotonic ones go on."""
    folder = line.output / line.observer.run
    if not has_log(folder):
        return False
    walls = [datetime.fromisoformat(one.times.wall) for one in read_decisions(folder)]
    steps = [later - earlier for earlier, later in pairwise(walls)]
    return max(steps, default=timedelta()) > _LEAST_JUMP and min(steps, default=timedelta()) < -_LEAST_JUMP


CLOCK_STEPPED = Fault(
    "wall clock stepped",
    "every part decided as always: no duration and no deadline uses the wall clock",
    _step,
    only(Cause.STARTING, Cause.STOPPING),
    limit_s=30.0,
)
