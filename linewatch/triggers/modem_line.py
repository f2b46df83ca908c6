"""Waiting for a switch on a modem control line: the ioctl part, and nothing else."""

import fcntl
import os
import struct
import termios
import time
from dataclasses import dataclass
from typing import Literal, Protocol

from linewatch.core.errors import GateError

_BITS = {"cts": termios.TIOCM_CTS, "dsr": termios.TIOCM_DSR, "ri": termios.TIOCM_RI, "dcd": termios.TIOCM_CD}
_COUNTS = ("cts", "dsr", "ri", "dcd")  # order of the first fields of struct serial_icounter_struct
_COUNTER_BYTES = 80


@dataclass(frozen=True)
class LineChange:
    """What was seen at one wake-up. t_ns: monotonic. level: of the line now. transitions: since the last wake-up."""

    t_ns: int
    level: bool
    transitions: int


class EdgeSource(Protocol):
    """Where changes of the line come from."""

    def wait(self) -> LineChange:
        """Block until the line has changed. Raises OSError when the device is gone."""
        ...

    def close(self) -> None: ...


class ModemLine:
    """One control line of an open serial port `fd`, which stays the caller's.

    Raises GateError where the driver cannot wait for changes.
    """

    def __init__(self, fd: int, port: str, line: Literal["cts", "dsr", "dcd", "ri"]) -> None:
        self._fd = os.dup(fd)
        self._bit = _BITS[line]
        self._place = _COUNTS.index(line)
        try:
            self._level()
            self._seen = self._count()
        except OSError as exc:
            os.close(self._fd)
            reason = f"its driver cannot report changes of {line} (no TIOCMIWAIT): {exc.strerror}"
            raise GateError(port, reason) from exc

    def wait(self) -> LineChange:
        # Counting before waiting: a change between two waits wakes nobody, but the driver has counted it.
        while (count := self._count()) == self._seen:
            fcntl.ioctl(self._fd, termios.TIOCMIWAIT, self._bit)
        t_ns = time.monotonic_ns()
        transitions, self._seen = (count - self._seen) % (1 << 32), count
        return LineChange(t_ns, self._level(), transitions)

    def close(self) -> None:
        os.close(self._fd)

    def _level(self) -> bool:
        (bits,) = struct.unpack("i", fcntl.ioctl(self._fd, termios.TIOCMGET, bytes(4)))
        return bool(bits & self._bit)

    def _count(self) -> int:
        counters = fcntl.ioctl(self._fd, termios.TIOCGICOUNT, bytes(_COUNTER_BYTES))
        return int(struct.unpack_from("4I", counters)[self._place])
