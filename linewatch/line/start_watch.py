"""Whether a process that is starting lives: by what the kernel says of it, not by what it says itself.

A start is long in one piece: loading a library of a gigabyte keeps the lock of Python for seconds, so that no thread of
the process could say anything meanwhile. But it computes, reads, or faults pages in; a process that hangs does not.
"""

from pathlib import Path

EVERY_NS = 500_000_000  # between two looks, some 0.2 ms each
_STOPPED = "tT"  # by a signal, or by a debugger
_STATE, _MINOR_FAULTS, _MAJOR_FAULTS, _USER_TICKS, _SYSTEM_TICKS = (
    0,
    7,
    9,
    11,
    12,
)  # in proc_pid_stat(5), after the name


class StartWatch:
    """One start. Times are monotonic nanoseconds, given by the caller."""

    def __init__(self, pid: int, now_ns: int, *, stopped_ms: float, hang_ms: float) -> None:
        """stopped_ms: how long it may be stopped; hang_ms: how long it may do nothing at all."""
        self._folder = Path(f"/proc/{pid}")
        self._stopped_ms, self._hang_ms = stopped_ms, hang_ms
        self._moved_ns = now_ns
        self._seen: tuple[str, ...] = ()
        self._stopped = False
        self.next_ns = now_ns + EVERY_NS

    def forgive(self, now_ns: int) -> None:
        """Nobody looked: start anew."""
        self._moved_ns = max(self._moved_ns, now_ns)

    def trouble(self, now_ns: int) -> str:
        """Why it will not become ready, in words; empty while it lives."""
        if now_ns < self.next_ns:
            return ""
        self.next_ns = now_ns + EVERY_NS
        self._look(now_ns)
        idle_ms = (now_ns - self._moved_ns) / 1e6
        if self._stopped:
            return "stopped while starting" if idle_ms > self._stopped_ms else ""
        return f"did nothing for {self._hang_ms / 1000:g} s while starting" if idle_ms > self._hang_ms else ""

    def _look(self, now_ns: int) -> None:
        """What cannot be read, on a kernel without it, counts as moved: then the limit of the whole start holds."""
        try:
            ran = (self._folder / "schedstat").read_text()
            stat = (self._folder / "stat").read_text().rpartition(")")[2].split()
            counts = [stat[place] for place in (_MINOR_FAULTS, _MAJOR_FAULTS, _USER_TICKS, _SYSTEM_TICKS)]
        except (OSError, IndexError):
            self._moved_ns = now_ns
            return
        self._stopped = stat[_STATE] in _STOPPED
        if (seen := (ran, *counts)) != self._seen:
            self._seen, self._moved_ns = seen, now_ns
