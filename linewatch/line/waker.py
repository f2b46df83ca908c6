"""What ends a wait from outside: SIGTERM, Ctrl-C, or a call from another thread."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Waker:
    """A pipe that is readable once the line shall stop."""

    def __init__(self) -> None:
        self._read_end, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.stop_wanted = False

    def fileno(self) -> int:
        return self._read_end

    def stop(self) -> None:
        """Ask the line to stop; safe in signal handlers and from other threads."""
        self.stop_wanted = True
        with contextlib.suppress(BlockingIOError):
            os.write(self._write_end, b"\0")

    def drain(self) -> None:
        """Take what made the pipe readable."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._read_end, 64)

    @contextlib.contextmanager
    def on_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and Ctrl-C while inside. Only the main thread gets signals; in others this does nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, lambda *_: self.stop()) for number in STOP_SIGNALS}
        wakeup_before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup_before)
            for number, handler in before.items():
                signal.signal(number, handler)

    def close(self) -> None:
        os.close(self._read_end)
        os.close(self._write_end)
