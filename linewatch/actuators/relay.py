"""A relay behind a serial port, told again and again what to do: `$R,<0 or 1>,<hold_ms>*<CRC>`.

    $R,0,300*<CRC>\\r\\n   let parts pass for 300 ms
    $R,1,300*<CRC>\\r\\n   reject

    $C,<count>*<CRC>\\r\\n  from the relay, where a sensor counts the parts that leave: so many, modulo 2^16

The relay's dead man: what is not said again within hold_ms is over, and the relay rejects. CRC: CRC-16/CCITT-FALSE of
the characters between `$` and `*`, four upper-case hexadecimal digits, as on the gate's port; a line whose CRC is wrong
says nothing.
"""

import binascii
import contextlib
import os
import re

import serial

from linewatch.actuators.device import Device
from linewatch.actuators.output import State
from linewatch.core.errors import DeviceError
from linewatch.core.serialport import open_serial

HOLD_MS = 300
_READ_BYTES = 4096
_EJECTED = re.compile(rb"\$(C,(\d{1,5}))\*([0-9A-F]{4})\r?")


def command(reject: bool, hold_ms: int = HOLD_MS) -> bytes:
    """The line that makes the relay reject, or let parts pass, for `hold_ms`."""
    body = b"R,%d,%d" % (reject, hold_ms)
    return b"$%b*%04X\r\n" % (body, binascii.crc_hqx(body, 0xFFFF))


def ejected(line: bytes) -> int | None:
    """The count in the relay's `line`; none when it is damaged or something else."""
    match = _EJECTED.fullmatch(line)
    if match is None or int(match[3], 16) != binascii.crc_hqx(match[1], 0xFFFF):
        return None
    return int(match[2])


class SerialRelay(Device):
    """A port that is lost is opened again."""

    def __init__(self, path: str, baud: int) -> None:
        """Opens the port. Raises DeviceError."""
        super().__init__()
        self._path = path
        self._baud = baud
        self._port: serial.Serial | None = None
        self._heard = b""
        self._opened()

    def show(self, state: State) -> None:
        super().show(state)
        if not self.trouble:
            self._hear()

    def _write(self, state: State) -> None:
        line = command(state.reject)
        try:
            written = os.write(self._opened().fileno(), line)
        except BlockingIOError:
            written = 0
        except OSError as exc:
            raise DeviceError(self._path, exc.strerror or "is gone") from exc
        if written != len(line):
            raise DeviceError(self._path, "the relay does not read")

    def _hear(self) -> None:
        """Take what the relay has said; that it is gone shows at the next write."""
        with contextlib.suppress(OSError):
            *lines, rest = (self._heard + os.read(self._opened().fileno(), _READ_BYTES)).split(b"\n")
            self._heard = rest[-_READ_BYTES:]
            counts = [count for count in map(ejected, lines) if count is not None]
            self.ejected = counts[-1] if counts else self.ejected

    def _drop(self) -> None:
        if self._port is not None:
            self._port.close()
            self._port = None

    def _opened(self) -> serial.Serial:
        if self._port is None:
            self._port = open_serial(self._path, self._baud, "relay")
        return self._port
