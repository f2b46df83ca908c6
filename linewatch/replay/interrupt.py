"""Ctrl-C and SIGTERM during a replay: finish the part in hand, then write what is done."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_TAKEN = (signal.SIGINT, signal.SIGTERM)


class Interrupt:
    """signal: the first of SIGINT and SIGTERM that came, else None."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def take(self, number: int, _frame: FrameType | None) -> None:
        """Remember the signal; a second one ends the process at once, as if nothing had been taken."""
        self.signal = signal.Signals(number)
        for other in _TAKEN:
            signal.signal(other, signal.SIG_DFL)


@contextmanager
def interrupts() -> Iterator[Interrupt]:
    """Within, SIGINT and SIGTERM are remembered instead of ending the process. Main thread only."""
    interrupt = Interrupt()
    before = {number: signal.signal(number, interrupt.take) for number in _TAKEN}
    try:
        yield interrupt
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
