"""The gate's framed ASCII over serial, 8N1.

    gate to host   $T,<counter>,<t_us>*<CRC>\\r\\n          a part broke the beam at t_us of the gate's own clock
    host to gate   $L,<counter>,<duration_us>*<CRC>\\r\\n   fire the light for so long

Counter: 32 bit, one more for every part, wraps. CRC: CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) of the
characters between `$` and `*`, four upper-case hexadecimal digits.
"""

import binascii
import re
from dataclasses import dataclass

MAX_FRAME = 64  # bytes; a longer line is no frame
COUNTERS = 1 << 32
_TRIGGER = re.compile(rb"\$T,(\d{1,10}),(\d{1,20})\*([0-9A-F]{4})")
_RESEMBLES = re.compile(rb"^\$T,|\*[0-9A-Fa-f]{4}$")


@dataclass(frozen=True)
class TriggerFrame:
    """A trigger as the gate sent it. counter: 0 .. 2^32 - 1. t_us: the gate's own clock."""

    counter: int
    t_us: int


@dataclass(frozen=True)
class BadFrame:
    """Bytes that are no frame. resembles_trigger: they may be a trigger that was damaged on the way."""

    raw: bytes
    reason: str
    resembles_trigger: bool


def crc(data: bytes) -> int:
    """CRC-16/CCITT-FALSE; b"123456789" gives 0x29B1."""
    return binascii.crc_hqx(data, 0xFFFF)


def light_command(counter: int, duration_us: int) -> bytes:
    """The frame that fires the light for the part that the gate counted as `counter`."""
    body = f"L,{counter},{duration_us}".encode()
    return b"$%b*%04X\r\n" % (body, crc(body))


class FrameParser:
    """Frames out of byte chunks of any size. Never raises and keeps at most one frame's bytes."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, chunk: bytes) -> list[TriggerFrame | BadFrame]:
        """The frames, good and bad, that `chunk` completes."""
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        found = [frame for line in lines for frame in _read_line(line.removesuffix(b"\r"))]
        while len(self._pending) > MAX_FRAME:
            start = max(self._pending.rfind(b"$"), 0) or len(self._pending)  # a frame may have begun after the noise
            found.append(_bad(self._pending[:start], "no end of line"))
            self._pending = self._pending[start:]
        return found


def _read_line(line: bytes) -> list[TriggerFrame | BadFrame]:
    """What one line holds: a frame starts at its last `$`, whatever stands before is noise or a frame cut short."""
    if not line:
        return []
    start = max(line.rfind(b"$"), 0)
    before, frame = line[:start], line[start:]
    noise = [_bad(before, "bytes before a frame")] if before else []
    return [*noise, _read_frame(frame)]


def _read_frame(frame: bytes) -> TriggerFrame | BadFrame:
    match = _TRIGGER.fullmatch(frame)
    if match is None:
        return _bad(frame, "no trigger frame")
    counter, t_us, digits = int(match[1]), int(match[2]), match[3]
    if int(digits, 16) != crc(frame[1:-5]):
        return _bad(frame, "checksum does not match")
    if counter >= COUNTERS:
        return _bad(frame, "counter exceeds 32 bit")
    return TriggerFrame(counter, t_us)


def _bad(raw: bytes, reason: str) -> BadFrame:
    return BadFrame(raw[:MAX_FRAME], reason, _RESEMBLES.search(raw) is not None)
