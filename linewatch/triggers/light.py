"""A light on a modem control line of the gate's port: on with the exposure, off after its duration."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Literal

import serial


class LineLight:
    """Switches the line from a thread of its own, so that the light goes off even while the line is busy.

    set_line: turns the line on or off; an OSError from it means that the port is gone. duration_us: on time; a
    scheduler adds some 0.1 ms, so an overdriven strobe belongs behind a controller of its own.
    """

    def __init__(self, set_line: Callable[[bool], None], duration_us: int) -> None:
        self._set_line = set_line
        self._duration_s = duration_us / 1e6
        self._orders: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._switch, name="light", daemon=True)
        self._thread.start()

    def fire(self) -> None:
        self._orders.put(True)

    def close(self) -> None:
        self._orders.put(False)
        self._thread.join(1.0)

    def _switch(self) -> None:
        while self._orders.get():
            with contextlib.suppress(OSError):
                self._set_line(True)
                time.sleep(self._duration_s)
            with contextlib.suppress(OSError):
                self._set_line(False)


def line_switch(port: serial.Serial, line: Literal["rts", "dtr"]) -> Callable[[bool], None]:
    """What turns `line` of `port` on or off."""

    def switch(on: bool) -> None:
        setattr(port, line, on)

    return switch
