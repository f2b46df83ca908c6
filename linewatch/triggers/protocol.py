"""The gate's framed ASCII over serial, 8N1.

    gate to host   $T,<counter>,<t_us>*<CRC>\\r\\n          a part broke the beam at t_us of the gate's own clock
    gate to host   $T,<counter>,<t_us>,<count>*<CRC>\\r\\n  the same, and where the belt's encoder stood then
    gate to host   $E,<count>*<CRC>\\r\\n                   where the belt's encoder stands now
    host to gate   $L,<counter>,<duration_us>*<CRC>\\r\\n   fire the light for so long

Counter: 32 bit, one more for every part, wraps. Count: 32 bit, of the encoder, rising as the belt moves, wraps. CRC:
CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) of the characters between `$` and `*`, four upper-case hexadecimal
digits.
"""

import binascii
import re
from dataclasses import dataclass

MAX_FRAME = 64  # bytes; a longer line is no frame
COUNTERS = 1 << 32
_TRIGGER = re.compile(rb"\$T,(\d{1,10}),(\d{1,20})(?:,(\d{1,10}))?\*([0-9A-F]{4})")
_BELT = re.compile(rb"\$E,(\d{1,10})\*([0-9A-F]{4})")
_RESEMBLES = re.compile(rb"^\$T,|^(?!\$E,).*\*[0-9A-Fa-f]{4}$", re.DOTALL)


@dataclass(frozen=True)
class TriggerFrame:
    """A trigger as the gate sent it. counter, count (of the encoder): 0 .. 2^32 - 1. t_us: the gate's own clock."""

    counter: int
    t_us: int
    count: int | None = None


@dataclass(frozen=True)
class BeltFrame:
    """Where the belt's encoder stands, 0 .. 2^32 - 1."""

    count: int


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


Frame = TriggerFrame | BeltFrame | BadFrame


class FrameParser:
    """Frames out of byte chunks of any size. Never raises and keeps at most one frame's bytes."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames, good and bad, that `chunk` completes."""
        *lines, self._pending = (self._pending + chunk).split(b"\n")
        found = [frame for line in lines for frame in _read_line(line.removesuffix(b"\r"))]
        while len(self._pending) > MAX_FRAME:
            start = max(self._pending.rfind(b"$"), 0) or len(self._pending)  # a frame may have begun after the noise
            found.append(_bad(self._pending[:start], "no end of line"))
            self._pending = self._pending[start:]
        return found


def _read_line(line: bytes) -> list[Frame]:
    """What one line holds: a frame starts at its last `$`, whatever stands before is noise or a frame cut short."""
    if not line:
        return []
    start = max(line.rfind(b"$"), 0)
    before, frame = line[:start], line[start:]
    noise = [_bad(before, "bytes before a frame")] if before else []
    return [*noise, _read_frame(frame)]


def _read_frame(frame: bytes) -> Frame:
    trigger, belt = _TRIGGER.fullmatch(frame), _BELT.fullmatch(frame)
    if trigger is None and belt is None:
        return _bad(frame, "no trigger frame")
    if int(frame[-4:], 16) != crc(frame[1:-5]):
        return _bad(frame, "checksum does not match")
    if trigger is None:
        return _belt(frame)
    counter, t_us, count = int(trigger[1]), int(trigger[2]), None if trigger[3] is None else int(trigger[3])
    if max(counter, count or 0) >= COUNTERS:
        return _bad(frame, "counter exceeds 32 bit")
    return TriggerFrame(counter, t_us, count)


def _belt(frame: bytes) -> Frame:
    count = int(frame[3:-5])
    return BeltFrame(count) if count < COUNTERS else _bad(frame, "count exceeds 32 bit")


def _bad(raw: bytes, reason: str) -> BadFrame:
    return BadFrame(raw[:MAX_FRAME], reason, _RESEMBLES.search(raw) is not None)
