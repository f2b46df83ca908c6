"""The disk full, failing, and the output read-only."""

import os
import resource
import signal
import time
from collections.abc import Iterator

from linewatch.faults import failing_disk, small_disk
from linewatch.faults.fault import Fault, Injected, NotShown
from linewatch.faults.judging import every, logged, only, said
from linewatch.faults.line import FaultLine
from linewatch.faults.silencing import end
from linewatch.faults.trial import Trial

_FULL_S = 1.5
_PARTS = 3  # that come while the disk takes nothing
_TELL_S = 15.0
_REFUSED = "recorder exited: exit code 5"
_TOLD = ("pictures_refused", "log_waiting", "storage_failed", "pictures_removed")


def _fill(line: FaultLine) -> Injected:
    if not os.path.ismount(line.output):
        return _limit(line)
    began = time.monotonic()
    while not _felt(line, began):  # old pictures make way for new ones, so it is filled again and again
        small_disk.fill(line.output)
        line.follow(0.05)
    small_disk.empty(line.output)
    how = f"tmpfs of {small_disk.SIZE_MB} MB filled to the last byte for {time.monotonic() - began:.1f} s"
    return Injected(time.monotonic_ns(), how, tuple(_untold(line)))


def _felt(line: FaultLine, began: float) -> bool:
    """So long that parts came meanwhile, and people could be told."""
    lasted_s = time.monotonic() - began
    return lasted_s > max(_FULL_S, line.time_of(_PARTS)) and (not list(_untold(line)) or lasted_s > _TELL_S)


def _untold(line: FaultLine) -> Iterator[str]:
    """That old pictures make way is said once in a run; more need not be said where they can."""
    run = line.observer.run
    if not any(event.kind in _TOLD and event.run == run for event in line.observer.events):
        yield f"nobody was told: none of {', '.join(_TOLD)}"


def _limit(line: FaultLine) -> Injected:
    """Without the right to mount: no file of the recorder may grow, as on a disk that is full."""
    pid = line.child("recorder")
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
    seconds = line.let_parts_come(_FULL_S)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
    how = f"RLIMIT_FSIZE 0 on the recorder for {seconds:.1f} s (no right to mount)"
    return Injected(time.monotonic_ns(), how, tuple(_untold(line)))


def _told(trial: Trial) -> Iterator[str]:
    if not any(event.kind in _TOLD for event in trial.events):
        yield f"nobody was told: none of {', '.join(_TOLD)}"


def _fail(line: FaultLine) -> Injected:
    if not failing_disk.can_fail():
        raise NotShown("the filter that lets writes fail is written for x86_64 and aarch64")
    pid = line.child("recorder")
    os.kill(pid, signal.SIGUSR1)
    if not line.until(lambda: failing_disk.fails(pid), 10):
        raise NotShown("the kernel takes no seccomp filter")
    seconds = line.let_parts_come(_FULL_S)
    since_ns = line.signal_child("recorder", signal.SIGKILL)  # the next one has a disk that works
    line.wait_for("child_died", end("recorder"))
    return Injected(since_ns, f"every write of the recorder ended with EIO for {seconds:.1f} s, then SIGKILL")


def _make_read_only(line: FaultLine) -> Injected:
    if not os.path.ismount(line.output):
        raise NotShown("a file system can be made read-only by root alone")
    line.signal_child("recorder", signal.SIGKILL)  # what it holds open for writing would forbid it
    if not small_disk.set_read_only(line.output, True):
        raise NotShown("the output could not be made read-only")
    line.wait_for("child_died", _REFUSED, 30)
    small_disk.set_read_only(line.output, False)
    return Injected(time.monotonic_ns(), "tmpfs remounted read-only until the recorder had tried to start on it")


DISK_FULL = Fault(
    "disk full",
    "every part decided as always; said; the log is complete once there is room",
    _fill,
    every(only(), logged),
    quick=True,
)
DISK_FAILS = Fault(
    "disk fails (EIO)",
    "every part decided as always; said; the log is complete once a disk works",
    _fail,
    every(only(), _told, logged),
    quick=True,
)
OUTPUT_READ_ONLY = Fault(
    "output read-only",
    "every part decided as always; said; the recorder tries again until it can write, and nothing is lost",
    _make_read_only,
    every(only(), said("child_died", _REFUSED), logged),
)
