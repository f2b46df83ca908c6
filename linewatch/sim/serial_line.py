"""A serial line without hardware: a real pty whose far end a program opens like any serial device."""

import os
import select
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

_READ_BYTES = 4096


class SerialLine:
    """The device's end of a serial line. The host opens `path`.

    A reader thread hands every line that the host sends to `on_line`, without its end, with the time it arrived in
    monotonic nanoseconds. A write waits at most `write_timeout_s` for a slow host and then loses bytes, as a UART does.
    """

    def __init__(self, on_line: Callable[[bytes, int], None], write_timeout_s: float = 0.05) -> None:
        self._on_line = on_line
        self._write_timeout_s = write_timeout_s
        # We hold the host's end as well: a host that is not there yet, or comes back, is no hang-up for us.
        self._device, self._host = os.openpty()
        tty.setraw(self._host)
        os.set_blocking(self._device, False)
        self.path = Path(os.ttyname(self._host))
        self._wake = os.eventfd(0)
        self._reader = threading.Thread(target=self._read, name="serial-line", daemon=True)
        self._reader.start()

    def write(self, data: bytes) -> int:
        """Send bytes to the host; returns how many were lost because the host did not read in time."""
        deadline = time.monotonic() + self._write_timeout_s
        rest = data
        while rest:
            try:
                rest = rest[os.write(self._device, rest) :]
            except BlockingIOError:
                # Full. A pty may stay full and still poll writable, hence the nap.
                if time.monotonic() >= deadline:
                    break
                time.sleep(0.001)
        return len(rest)

    def close(self) -> None:
        """Pull the plug: the host's open device reports a hang-up and `path` ceases to exist."""
        os.eventfd_write(self._wake, 1)
        self._reader.join()
        for descriptor in (self._device, self._host, self._wake):
            os.close(descriptor)

    def _read(self) -> None:
        """Reader thread: cut what the host sends into lines until woken to stop."""
        pending = b""
        poller = select.poll()
        poller.register(self._device, select.POLLIN)
        poller.register(self._wake, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poller.poll()}
            if self._wake in ready:
                return
            pending += os.read(self._device, _READ_BYTES)
            arrived_ns = time.monotonic_ns()
            *lines, pending = pending.split(b"\n")
            for line in lines:
                self._on_line(line.rstrip(b"\r"), arrived_ns)
