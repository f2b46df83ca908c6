"""What every gate looks like to the line: a pollable source of edges that never raises during a run."""

from dataclasses import dataclass
from typing import Protocol

from linewatch.core.errors import GateError


@dataclass(frozen=True)
class Edge:
    """A part broke the gate.

    counter: the gate's own, 32 bit. t_ns: monotonic time of the edge. t_gate_us: the gate's own clock, none when it has
    no clock or the message was lost. missed: known only from a gap or a damaged message, too late to be exposed.
    count: of the belt's encoder, 32 bit, where the gate says it.
    """

    counter: int
    t_ns: int
    t_gate_us: int | None = None
    missed: bool = False
    count: int | None = None


@dataclass(frozen=True)
class BeltCount:
    """Where the belt's encoder stood when the host read it at t_ns: 32 bit, wraps."""

    count: int
    t_ns: int


@dataclass(frozen=True)
class GateEvent:
    """Something about the gate worth a line in the log."""

    kind: str
    text: str


GateNews = Edge | BeltCount | GateEvent


class Gate(Protocol):
    """One gate. `read` is called when `fileno` is readable and when `next_due_ns` has come."""

    def fileno(self) -> int:
        """The descriptor to poll for reading; -1 while the gate is lost."""
        ...

    def next_due_ns(self) -> int | None:
        """When `read` must be called even if nothing arrives; none for never."""
        ...

    def read(self) -> list[GateNews]:
        """Everything that happened since the last call, in order; never waits."""
        ...

    def fire_light(self, counter: int) -> None:
        """Turn the light on for the part that the gate counted as `counter`; never waits."""
        ...

    def close(self) -> None: ...


class GateLost(GateError):
    """The port went away during the run."""
