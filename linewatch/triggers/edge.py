"""The photoelectric switch on a modem control line: every edge is one part."""

import contextlib
import os
import struct
import threading
from collections.abc import Callable

import serial

from linewatch.core.clock import Clock
from linewatch.core.station import EdgeGate as GateSettings
from linewatch.core.station import Light
from linewatch.triggers.gate import Edge, GateEvent, GateLost, GateNews
from linewatch.triggers.light import LineLight, line_switch
from linewatch.triggers.modem_line import EdgeSource, LineChange, ModemLine
from linewatch.triggers.port import open_port
from linewatch.triggers.protocol import COUNTERS

CHATTER = 50  # bounces without a part between them
_CHANGE = struct.Struct("<Q?I")


class EdgeCounter:
    """Turns changes of the line into parts. No IO, no clock of its own.

    debounce_ns: an edge closer than this to the last change of the line, either way, is bounce. Edges that one wake-up
    collapsed are bounce as well while there is a debounce time; without one, each is a part, all but the last missed.
    """

    def __init__(self, debounce_ns: int, active_high: bool, trailing_only: bool) -> None:
        self._debounce_ns = debounce_ns
        self._active_high = active_high
        self._trailing_only = trailing_only  # ring indicator: drivers count only the edge that ends a pulse
        self._changed_ns: int | None = None
        self._counter = 0
        self._streak = 0
        self.bounces = 0

    def take(self, change: LineChange) -> list[GateNews]:
        """The parts in one change, oldest first."""
        edges = self._active_edges(change)
        quiet = self._changed_ns is None or change.t_ns - self._changed_ns >= self._debounce_ns
        self._changed_ns = change.t_ns
        if edges == 0:
            return []
        parts = 0 if not quiet else 1 if self._debounce_ns > 0 else edges
        self.bounces += edges - parts
        self._streak = 0 if parts else self._streak + edges
        if self._streak >= CHATTER:
            self._streak = 0
            return [GateEvent("chatter", f"the switch bounced {CHATTER} times in a row; parts may be missing")]
        return [self._edge(change.t_ns, missed=number < parts - 1) for number in range(parts)]

    def _active_edges(self, change: LineChange) -> int:
        if self._trailing_only:
            return change.transitions
        ended_active = change.level == self._active_high
        return (change.transitions + ended_active) // 2

    def _edge(self, t_ns: int, missed: bool) -> Edge:
        self._counter = (self._counter + 1) % COUNTERS
        return Edge(self._counter, t_ns, missed=missed)


class EdgeGate:
    """A thread waits for the line and writes what it saw, with its time, into a pipe that the line polls.

    open_source: opens the line; the standard one is a modem control line of the serial port in `settings`.
    """

    def __init__(
        self, settings: GateSettings, light: Light, clock: Clock, open_source: Callable[[], EdgeSource] | None = None
    ) -> None:
        self._settings = settings
        self._light = light
        self._clock = clock
        self._open_source = open_source or self._open_modem_line
        self._edges = EdgeCounter(
            round(settings.debounce_ms * 1e6), settings.active == "rising", trailing_only=settings.line == "ri"
        )
        self._port: serial.Serial | None = None
        self._line_light: LineLight | None = None
        self._pipe = -1

    @property
    def bounces(self) -> int:
        """Edges taken for bounce so far."""
        return self._edges.bounces

    def open(self) -> None:
        """Open the line, at first or again. Raises GateError."""
        source = self._open_source()
        self._pipe, write_end = os.pipe()
        os.set_blocking(self._pipe, False)
        threading.Thread(target=_watch, args=(source, write_end), name="gate", daemon=True).start()

    def fileno(self) -> int:
        return self._pipe

    def next_due_ns(self) -> int | None:
        return None

    def read(self) -> list[GateNews]:
        """Edges since the last call. Raises GateLost when the device is gone."""
        if self._pipe < 0:
            return []
        try:
            data = os.read(self._pipe, 256 * _CHANGE.size)
        except BlockingIOError:
            return []
        if not data:
            raise GateLost(self._settings.port, "the device is gone")
        changes = (LineChange(*fields) for fields in _CHANGE.iter_unpack(data))
        return [found for change in changes for found in self._edges.take(change)]

    def fire_light(self, counter: int) -> None:  # noqa: ARG002 - a control line cannot say for which part
        if self._line_light is not None:
            self._line_light.fire()

    def close(self) -> None:
        if self._line_light is not None:
            self._line_light.close()
            self._line_light = None
        if self._port is not None:
            self._port.close()
            self._port = None
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1

    def _open_modem_line(self) -> EdgeSource:
        control_line = self._light.line if self._light.kind == "control_line" else None
        port = open_port(self._settings.port, light_line=control_line)
        try:
            source = ModemLine(port.fileno(), self._settings.port, self._settings.line)
        except BaseException:
            port.close()
            raise
        self._port = port
        if control_line is not None:
            self._line_light = LineLight(line_switch(port, control_line), self._light.duration_us)
        return source


def _watch(source: EdgeSource, write_end: int) -> None:
    """Thread: every change into the pipe, until the device is gone or nobody reads any more; then close the pipe."""
    with contextlib.suppress(OSError):
        while True:
            change = source.wait()
            os.write(write_end, _CHANGE.pack(change.t_ns, change.level, change.transitions))
    os.close(write_end)
    source.close()
