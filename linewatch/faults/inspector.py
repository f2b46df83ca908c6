"""The inspector killed, stopped, and without memory."""

import contextlib
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from linewatch.core.messages import Cause
from linewatch.faults.fault import Fault, Injected
from linewatch.faults.judging import every, only, said
from linewatch.faults.line import FaultLine
from linewatch.faults.silencing import end, hang, killed, silence, stopped, stopped_while_starting
from linewatch.faults.trial import Trial

_CAUSES = (Cause.MODEL_ERROR, Cause.STARTING, Cause.TIMEOUT)
_STARVED_S = 1.0


def _starve(line: FaultLine) -> Injected:
    """Allow the process not one byte more than it has: its next allocation of working memory fails."""
    pid = line.child("inspector")
    now_bytes = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.prlimit(pid, resource.RLIMIT_AS, (now_bytes, resource.RLIM_INFINITY))
    seconds = line.let_parts_come(_STARVED_S)
    with contextlib.suppress(ProcessLookupError):  # it died of it, which is allowed
        resource.prlimit(pid, resource.RLIMIT_AS, before)
    return Injected(time.monotonic_ns(), f"RLIMIT_AS at what it holds, for {seconds:.1f} s")


def _starved(trial: Trial) -> Iterator[str]:
    if not trial.in_doubt[Cause.MODEL_ERROR] and not trial.said("child_died"):
        yield "no allocation failed: the fault was not felt"


def _on_time(trial: Trial) -> Iterator[str]:
    """Nothing is decided as timeout before its deadline, and half of them at most 50 ms after it."""
    late_ms = sorted(
        (one.t_decision_ns - one.deadline_ns) / 1e6 for one in trial.decisions if one.cause is Cause.TIMEOUT
    )
    if not late_ms:
        yield "no part was rejected as timeout"
    elif late_ms[0] < 0 or late_ms[len(late_ms) // 2] > 50:
        yield f"timeouts came {late_ms[0]:.1f} to {late_ms[-1]:.1f} ms after their deadlines"


INSPECTOR_KILLED = Fault(
    "inspector killed",
    "its parts REJECT(model_error), new ones REJECT(starting); started again, warm within 15 s",
    killed("inspector"),
    every(said("child_died", end("inspector")), only(*_CAUSES)),
    quick=True,
)
INSPECTOR_STOPPED = Fault(
    "inspector stopped",
    "its parts REJECT(timeout) at their deadline; noticed by its silence, replaced within 15 s",
    stopped("inspector"),
    every(said("child_died", silence("inspector")), only(*_CAUSES), _on_time),
)
INSPECTOR_HUNG_STARTING = Fault(
    "inspector stopped while starting",
    "noticed within seconds, replaced again; parts meanwhile REJECT(starting)",
    stopped_while_starting("inspector"),
    every(said("child_died", hang("inspector")), only(*_CAUSES)),
)
INSPECTOR_OUT_OF_MEMORY = Fault(
    "inspector out of memory",
    "its parts REJECT(model_error); inspects again when there is memory",
    _starve,
    every(only(*_CAUSES), _starved),
    quick=True,
)
