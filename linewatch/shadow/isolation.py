"""What keeps the shadow out of everybody's way: it runs when nothing else wants to, and is the first to go."""

import contextlib
import os
import resource
from pathlib import Path

_LEAST_NICE = 19
_FIRST_TO_KILL = "1000"


def step_back() -> None:
    """Take the processor only when it is idle, and be what the kernel ends first when memory is short.

    Where the kernel refuses one of these, the others still hold.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _LEAST_NICE)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_KILL)


def limit_memory(megabytes: float) -> None:
    """Be refused more memory of its own than this; what files and frames map does not count."""
    most = round(megabytes * 1e6)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
