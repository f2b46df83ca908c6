"""Memory of the daemon's processes, as Linux counts it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Memory:
    """MB by process (resident: pages that it shares with another count in both), and of all together.

    total: proportional where the kernel tells it (a shared page counts once), else the sum of the resident.
    """

    processes: dict[str, float]
    total: float
    proportional: bool


def measure(controller_pid: int) -> Memory:
    """The controller and its children now. Processes that end meanwhile count as nothing."""
    pids = [controller_pid, *_children(controller_pid)]
    names = ["controller", *(_name(pid) for pid in pids[1:])]
    resident = [_resident_mb(pid) for pid in pids]
    shares = [_proportional_mb(pid) if mb else 0.0 for pid, mb in zip(pids, resident, strict=True)]
    known = [share for share in shares if share is not None]
    proportional = len(known) == len(shares)
    processes: dict[str, float] = {}
    for name, mb in zip(names, resident, strict=True):
        processes[name] = processes.get(name, 0.0) + mb
    return Memory(processes, sum(known) if proportional else sum(resident), proportional)


def largest(one: Memory | None, other: Memory) -> Memory:
    """The one with the larger total."""
    return other if one is None or other.total > one.total else one


def _children(pid: int) -> Iterator[int]:
    for stat in _PROC.glob("[0-9]*/stat"):
        # "pid (name) state ppid ...", and the name may hold spaces and brackets.
        fields = _text(stat).rpartition(")")[2].split()
        if len(fields) > 1 and int(fields[1]) == pid:
            yield int(stat.parent.name)


def _name(pid: int) -> str:
    """camera, inspector, recorder or whatever module or program the process runs."""
    arguments = _text(_PROC / str(pid) / "cmdline").split("\0")
    known = {"linewatch.cameras": "camera", "linewatch.inspection": "inspector", "linewatch.records": "recorder"}
    for argument in arguments:
        if argument in known:
            return known[argument]
    scripts = [Path(argument).stem for argument in arguments if argument.endswith(".py")]
    return scripts[0] if scripts else Path(arguments[0]).name or "ended"


def _resident_mb(pid: int) -> float:
    fields = _text(_PROC / str(pid) / "statm").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6 if fields else 0.0


def _proportional_mb(pid: int) -> float | None:
    """None when the kernel does not tell."""
    found = [line for line in _text(_PROC / str(pid) / "smaps_rollup").splitlines() if line.startswith("Pss:")]
    return int(found[0].split()[1]) * 1024 / 1e6 if found else None


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""  # the process has ended, or the kernel keeps this to itself
