"""The gate that sends framed ASCII over serial (format in protocol.py)."""

import os
from collections import deque

import serial

from linewatch.core.clock import Clock
from linewatch.core.station import FramedGate as GateSettings
from linewatch.core.station import Light
from linewatch.triggers.counting import MAX_MISSED, Counting
from linewatch.triggers.gate import BeltCount, Edge, GateEvent, GateLost, GateNews
from linewatch.triggers.gate_clock import GateClock
from linewatch.triggers.light import LineLight, line_switch
from linewatch.triggers.port import latency_ms, open_port
from linewatch.triggers.protocol import BeltFrame, Frame, FrameParser, TriggerFrame, light_command

_READ_BYTES = 4096


class FramedGate:
    """Edges out of frames. The counter tells which parts' messages were lost; each becomes a missed edge.

    A damaged frame may be a part whose message nobody will ever repeat: it is kept for `hold_ms`, and when no good
    frame has told by then whether it was one, it is taken for a part. good, bad, duplicates: frames so far.
    """

    def __init__(self, settings: GateSettings, light: Light, clock: Clock, hold_ms: float = 100.0) -> None:
        self._settings = settings
        self._light = light
        self._clock = clock
        self._hold_ns = round(hold_ms * 1e6)
        self._counting = Counting()
        self._gate_clock = GateClock()
        self._parser = FrameParser()
        self._held: deque[int] = deque(maxlen=MAX_MISSED)  # arrival times of frames that may have been triggers
        self._said: list[GateEvent] = []
        self._last_ns: int | None = None
        self._port: serial.Serial | None = None
        self._line_light: LineLight | None = None
        self.good = self.bad = self.duplicates = 0

    def open(self) -> None:
        """Open the port, at first or again. Raises GateError."""
        control_line = self._light.line if self._light.kind == "control_line" else None
        port = open_port(self._settings.port, self._settings.baud, control_line)
        self._port = port
        self._parser = FrameParser()
        if control_line is not None:
            self._line_light = LineLight(line_switch(port, control_line), self._light.duration_us)
        held_back = latency_ms(self._settings.port)
        if held_back is not None and held_back > 1:
            text = f"{self._settings.port}: latency_timer is {held_back} ms and delays every trigger; set it to 1"
            self._said.append(GateEvent("latency_timer", text))

    def fileno(self) -> int:
        return -1 if self._port is None else int(self._port.fileno())

    def next_due_ns(self) -> int | None:
        return self._held[0] + self._hold_ns if self._held else None

    def read(self) -> list[GateNews]:
        """Edges and events since the last call. Raises GateLost when the port is gone, after all that came before."""
        data = b"" if self._port is None else self._read_port()
        now_ns = self._clock.now_ns()
        found: list[GateNews] = [*self._said]
        self._said.clear()
        for frame in self._parser.feed(data):
            found += self._take(frame, now_ns)
        return found + self._overdue(now_ns)

    def fire_light(self, counter: int) -> None:
        if self._line_light is not None:
            self._line_light.fire()
        elif self._light.kind == "serial_command":
            self._write(light_command(counter, self._light.duration_us))

    def close(self) -> None:
        if self._line_light is not None:
            self._line_light.close()
            self._line_light = None
        if self._port is not None:
            self._port.close()
            self._port = None

    def _read_port(self) -> bytes:
        """What the port holds now; more than that, or its loss, shows at the next poll."""
        try:
            data = os.read(self.fileno(), _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as exc:
            raise GateLost(self._settings.port, exc.strerror or "cannot be read") from exc
        if not data:
            raise GateLost(self._settings.port, "the device hung up")
        return data

    def _write(self, data: bytes) -> None:
        try:
            written = os.write(self.fileno(), data)
        except OSError as exc:
            self._said.append(GateEvent("light_failed", f"{self._settings.port}: {exc.strerror}"))
            return
        if written != len(data):
            self._said.append(GateEvent("light_failed", f"{self._settings.port}: the gate does not read"))

    def _take(self, frame: Frame, now_ns: int) -> list[GateNews]:
        if isinstance(frame, TriggerFrame):
            self.good += 1
            return self._count(frame, now_ns)
        if isinstance(frame, BeltFrame):
            return [BeltCount(frame.count, now_ns)]
        self.bad += 1
        if frame.resembles_trigger:
            self._held.append(now_ns)
        return [GateEvent("bad_frame", f"{frame.reason}: {frame.raw!r}")]

    def _count(self, frame: TriggerFrame, now_ns: int) -> list[GateNews]:
        step = self._counting.step(frame.counter)
        if step.kind == "duplicate":
            self.duplicates += 1
            return [GateEvent("duplicate_trigger", f"counter {frame.counter} came twice and was ignored")]
        t_ns = self._gate_clock.place(now_ns, frame.t_us)
        missed = self._missed(step.missed, t_ns)
        self._held.clear()
        self._last_ns = t_ns
        said = _describe(step.kind, frame.counter, len(missed))
        return [*said, *missed, Edge(frame.counter, t_ns, frame.t_us, count=frame.count)]

    def _missed(self, counters: tuple[int, ...], t_ns: int) -> list[GateNews]:
        """The parts whose messages were lost: at the times of the damaged ones, else evenly since the last part."""
        last_ns, count = self._last_ns if self._last_ns is not None else t_ns, len(counters)
        times = [last_ns + (t_ns - last_ns) * (number + 1) // (count + 1) for number in range(count)]
        if 0 < count <= len(self._held):
            times = list(self._held)[-count:]
        return [Edge(counter, at, missed=True) for counter, at in zip(counters, times, strict=True)]

    def _overdue(self, now_ns: int) -> list[GateNews]:
        """The damaged frames that no good one has explained in time: in doubt each is a part."""
        found: list[GateNews] = []
        while self._held and self._held[0] + self._hold_ns <= now_ns:
            counter, t_ns = self._counting.give_up(), self._held.popleft()
            self._last_ns = t_ns
            found.append(GateEvent("desync", f"a damaged message is taken for the part with counter {counter}"))
            found.append(Edge(counter, t_ns, missed=True))
        return found


def _describe(kind: str, counter: int, missed: int) -> list[GateEvent]:
    match kind:
        case "gap":
            return [GateEvent("missed_triggers", f"{missed} messages were lost before counter {counter}")]
        case "backwards":
            return [GateEvent("gate_restarted", f"the gate counts from {counter} again; parts may be missing")]
        case "jump":
            return [GateEvent("desync", f"the gate's counter jumped to {counter}; parts may be missing")]
        case _:
            return []
