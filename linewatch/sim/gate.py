"""The virtual photoelectric gate: triggers over a real pty, and faults on purpose.

Gate to host:  $T,<counter>,<t_us>*<CRC>\\r\\n          a part broke the beam at t_us of the gate's own clock
               $T,<counter>,<t_us>,<count>*<CRC>\\r\\n  the same, with the count of the belt's encoder
               $E,<count>*<CRC>\\r\\n                   the count now, every 20 ms
Host to gate:  $L,<counter>,<duration_us>*<CRC>\\r\\n   fire the light for that long
CRC-16/CCITT-FALSE over the characters between `$` and `*`, four upper-case hex digits.

The format is written here a second time, on purpose: a gate's firmware shares no code with the host either, so a
mistake in linewatch.triggers cannot hide by being made on both sides.
"""

import binascii
import random
import re
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

from linewatch.sim.belt import VirtualBelt
from linewatch.sim.serial_line import SerialLine

Delivery = Literal["sent", "dropped", "corrupted", "duplicated", "unplugged"]
# What a fault hook may ask of the next frame.
Fault = Literal["dropped", "corrupted", "duplicated"]

REPORT_S = 0.02  # between two counts of the encoder
_FLASH = re.compile(rb"L,(\d+),(\d+)")


class Fired(NamedTuple):
    """One trigger of the gate. t_us: its own clock. t_ns: monotonic time. delivery: what became of the frame."""

    counter: int
    t_us: int
    t_ns: int
    delivery: Delivery


class Flash(NamedTuple):
    """One order to fire the light. t_ns: monotonic time at which it reached the gate."""

    counter: int
    duration_us: int
    t_ns: int


def frame(payload: str) -> bytes:
    """Frame a payload such as `T,17,1234567` for the wire."""
    return f"${payload}*{_crc(payload.encode('ascii')):04X}\r\n".encode("ascii")


def unframe(line: bytes) -> bytes | None:
    """Payload of one line (without its end), None if it is damaged."""
    payload, star, crc = line[1:].partition(b"*")
    whole = line[:1] == b"$" and star == b"*" and crc == b"%04X" % _crc(payload)
    return payload if whole else None


def _crc(data: bytes) -> int:
    # CRC-HQX with this start value is CRC-16/CCITT-FALSE: "123456789" gives 0x29B1.
    return binascii.crc_hqx(data, 0xFFFF)


class VirtualGate:
    """A gate that a host opens as a serial port at `path`.

    link: a path that shall name the device (a symbolic link, removed by `unplug`), so that a host finds the gate again
    after `replug`; without it `path` is the pty itself and changes. first_counter: of the first part. drift_ppm: how
    much faster the gate's clock runs than ours. seed: of the jitter. write_timeout_s: patience with a slow host.
    belt: whose encoder the gate reports; none reports nothing. mute: the encoder's reports are lost.

    fired: every trigger, in order. flashes: every light order understood. damaged: lines from the host that were not.
    lost_bytes: what a slow host did not take.
    """

    def __init__(
        self,
        link: Path | None = None,
        *,
        first_counter: int = 1,
        drift_ppm: float = 0.0,
        seed: int = 0,
        write_timeout_s: float = 0.05,
        belt: VirtualBelt | None = None,
    ) -> None:
        self.belt = belt
        self.mute = False
        self.fired: list[Fired] = []
        self.flashes: list[Flash] = []
        self.damaged = 0
        self.lost_bytes = 0
        self._link = link
        self._counter = first_counter
        self._tick_ratio = 1 + drift_ppm * 1e-6
        self._jitter = random.Random(seed)
        self._write_timeout_s = write_timeout_s
        self._born_ns = time.monotonic_ns()
        self._faults: list[Fault] = []
        # Guards the counter, the faults and the line: tests fire by hand while a run is on.
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._runner: threading.Thread | None = None
        self._line: SerialLine | None = None
        self.replug()
        self._closed = threading.Event()
        self._reporter = threading.Thread(target=self._report, name="encoder", daemon=True)
        if belt is not None:
            self._reporter.start()

    @property
    def path(self) -> str:
        """The device for the host to open. Raises RuntimeError while unplugged without a link."""
        if self._link is not None:
            return str(self._link)
        if self._line is None:
            raise RuntimeError("the gate is unplugged")
        return str(self._line.path)

    def fire(self) -> Fired:
        """Let one part break the beam now. An unplugged gate counts on."""
        with self._lock:
            t_ns = time.monotonic_ns()
            t_us = int((t_ns - self._born_ns) * self._tick_ratio) // 1000
            count = "" if self.belt is None else f",{self.belt.count()}"
            delivery = self._deliver(frame(f"T,{self._counter},{t_us}{count}"))
            fired = Fired(self._counter, t_us, t_ns, delivery)
            self._counter += 1
            self.fired.append(fired)
        return fired

    def run(
        self, pace_per_min: float, *, count: int | None = None, duration_s: float | None = None, jitter: float = 0.0
    ) -> int:
        """Fire at a pace until `count` parts, `duration_s` seconds or `stop`; returns the parts fired.

        jitter: 0 .. 0.5, largest shift of a part as a share of the pitch. The schedule is absolute: jitter and late
        wake-ups do not add up.
        """
        self._stop.clear()
        return self._run(pace_per_min, count, duration_s, jitter)

    def _run(self, pace_per_min: float, count: int | None, duration_s: float | None, jitter: float) -> int:
        period_s, start, number = 60 / pace_per_min, time.monotonic(), 0
        while count is None or number < count:
            ahead_s = (number + self._jitter.uniform(-jitter, jitter)) * period_s
            if duration_s is not None and ahead_s >= duration_s:
                break
            if self._stop.wait(max(start + ahead_s - time.monotonic(), 0)):
                break
            self.fire()
            number += 1
        return number

    def start(
        self, pace_per_min: float, *, count: int | None = None, duration_s: float | None = None, jitter: float = 0.0
    ) -> threading.Thread:
        """Like `run`, in a thread of its own; join it or `stop` it. Raises RuntimeError if one is still on."""
        if self._runner is not None and self._runner.is_alive():
            raise RuntimeError("the gate runs already")
        self._stop.clear()
        plan = (pace_per_min, count, duration_s, jitter)
        self._runner = threading.Thread(target=self._run, args=plan, name="gate", daemon=True)
        self._runner.start()
        return self._runner

    def stop(self) -> None:
        """End a run that is on, at once."""
        self._stop.set()
        if self._runner is not None:
            self._runner.join()

    def drop_next(self) -> None:
        """Lose the next frame on the wire; the counter shows the gap."""
        self._faults.append("dropped")

    def corrupt_next(self) -> None:
        """Change one digit of the next frame, so that only the CRC can tell."""
        self._faults.append("corrupted")

    def duplicate_next(self) -> None:
        """Send the next frame twice."""
        self._faults.append("duplicated")

    def send_noise(self, data: bytes = b"\x00\xff$T,9\x80*") -> None:
        """Put bytes on the wire that no frame consists of."""
        with self._lock:
            self._send(data)

    def unplug(self) -> None:
        """Pull the cable: the host sees a hang-up. Doing it twice is harmless."""
        with self._lock:
            line, self._line = self._line, None
            self._remove_link()
        if line is not None:
            line.close()

    def replug(self) -> None:
        """Put the cable back: a new pty, found under the link. Harmless while plugged in."""
        with self._lock:
            if self._line is None:
                self._line = SerialLine(self._hear, self._write_timeout_s)
                if self._link is not None:
                    self._remove_link()
                    self._link.symlink_to(self._line.path)

    def close(self) -> None:
        """Stop and unplug."""
        self.stop()
        self._closed.set()
        if self._reporter.is_alive():
            self._reporter.join()
        self.unplug()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _deliver(self, data: bytes) -> Delivery:
        """Send one frame, with the next fault in the queue if there is one."""
        if self._line is None:
            return "unplugged"
        fault = self._faults.pop(0) if self._faults else None
        if fault == "dropped":
            return fault
        if fault == "corrupted":
            place = data.index(b"*") - 1
            data = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        self._send(data * 2 if fault == "duplicated" else data)
        return fault or "sent"

    def _report(self) -> None:
        """Say the encoder's count until the gate is closed."""
        while self.belt is not None and not self._closed.wait(REPORT_S):
            with self._lock:
                if not self.mute:
                    self._send(frame(f"E,{self.belt.count()}"))

    def _remove_link(self) -> None:
        # Only ever our own kind: a file of that name is somebody's, and FileExistsError says so.
        if self._link is not None and self._link.is_symlink():
            self._link.unlink()

    def _send(self, data: bytes) -> None:
        if self._line is not None:
            self.lost_bytes += self._line.write(data)

    def _hear(self, line: bytes, t_ns: int) -> None:
        """Record one line of the host (called by the line's reader thread)."""
        order = _FLASH.fullmatch(unframe(line) or b"")
        if order is None:
            self.damaged += 1
        else:
            self.flashes.append(Flash(int(order[1]), int(order[2]), t_ns))
