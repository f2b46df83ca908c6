"""What PLC and relay do alike: told the state on every change and every 100 ms, and tried again when they are gone."""

import time
from abc import ABC, abstractmethod

from linewatch.actuators.output import State
from linewatch.core.errors import DeviceError

EVERY_NS = 100_000_000  # between two writes while nothing changes
RETRY_NS = 500_000_000  # between two tries of a device that is gone


class Device(ABC):
    """An Output that hears of its state while it is there, and rejects by itself once it hears nothing more."""

    def __init__(self) -> None:
        self.trouble = "not connected yet"
        self.ejected: int | None = None
        self._shown: State | None = None
        self._due_ns = 0

    def show(self, state: State) -> None:
        now_ns = time.monotonic_ns()
        if now_ns < self._due_ns and (self.trouble or not self._changes(state)):
            return
        try:
            self._write(state)
        except DeviceError as exc:
            self._drop()
            self.trouble, self._shown = str(exc), None
            self._due_ns = time.monotonic_ns() + RETRY_NS
        else:
            self.trouble, self._shown = "", state
            self._due_ns = now_ns + EVERY_NS

    def close(self) -> None:
        if not self.trouble:
            self._due_ns = 0
            self.show(State())
        self._drop()

    @abstractmethod
    def _write(self, state: State) -> None:
        """Tell the device, after connecting to it where need be; waits no longer than 0.5 s. Raises DeviceError."""

    @abstractmethod
    def _drop(self) -> None:
        """Let go of the device; harmless when it is gone already."""

    def _changes(self, state: State) -> bool:
        before = self._shown
        return before is None or (state.reject, state.trusted) != (before.reject, before.trusted)
