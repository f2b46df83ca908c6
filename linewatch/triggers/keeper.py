"""Keeps a gate open over a run: a lost port is said, tried again every half second, and never ends the line."""

from typing import Protocol

from linewatch.core.clock import Clock
from linewatch.core.errors import GateError, StationError
from linewatch.core.station import FramedGate as FramedSettings
from linewatch.core.station import Station
from linewatch.triggers.edge import EdgeGate
from linewatch.triggers.framed import FramedGate
from linewatch.triggers.gate import Gate, GateEvent, GateLost, GateNews

REOPEN_NS = 500_000_000


class OpenableGate(Gate, Protocol):
    """A gate that raises GateLost from `read`; closed, it reads only what it still holds, and can be opened again."""

    def open(self) -> None:
        """Raises GateError."""
        ...


class GateKeeper:
    """A Gate that never raises after `open`."""

    def __init__(self, gate: OpenableGate, clock: Clock) -> None:
        self._gate = gate
        self._clock = clock
        self._retry_ns: int | None = None

    def open(self) -> None:
        """Open at the start of a run. Raises GateError: a line without its gate must not start."""
        self._gate.open()

    def fileno(self) -> int:
        return -1 if self._retry_ns is not None else self._gate.fileno()

    def next_due_ns(self) -> int | None:
        due = [at for at in (self._retry_ns, self._gate.next_due_ns()) if at is not None]
        return min(due, default=None)

    def read(self) -> list[GateNews]:
        if self._retry_ns is not None:
            return [*self._gate.read(), *self._reopen()]
        try:
            return self._gate.read()
        except GateLost as exc:
            self._gate.close()
            self._retry_ns = self._clock.now_ns() + REOPEN_NS
            return [GateEvent("gate_lost", str(exc))]

    def fire_light(self, counter: int) -> None:
        if self._retry_ns is None:
            self._gate.fire_light(counter)

    def close(self) -> None:
        self._gate.close()

    def _reopen(self) -> list[GateNews]:
        now_ns = self._clock.now_ns()
        if self._retry_ns is not None and now_ns < self._retry_ns:
            return []
        try:
            self._gate.open()
        except GateError:
            self._retry_ns = now_ns + REOPEN_NS
            return []
        self._retry_ns = None
        return [GateEvent("gate_back", "the gate's port is open again")]


def build_gate(station: Station, clock: Clock) -> GateKeeper:
    """The gate of `station`, not yet open. Raises StationError when gate and light do not fit together."""
    gate: OpenableGate
    if station.light.kind == "serial_command" and not isinstance(station.gate, FramedSettings):
        raise StationError("light.kind", "needs a framed gate that understands the command", station.light.kind)
    if isinstance(station.gate, FramedSettings):
        gate = FramedGate(station.gate, station.light, clock, hold_ms=station.line.deadline_ms)
    else:
        gate = EdgeGate(station.gate, station.light, clock)
    return GateKeeper(gate, clock)
