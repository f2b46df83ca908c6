"""Opening a serial port for this daemon alone, and saying plainly why it cannot be opened."""

import errno
import os
import termios
from pathlib import Path
from typing import Literal

import serial

from linewatch.core.errors import GateError

USB_SERIAL = Path("/sys/bus/usb-serial/devices")
_REASONS = {
    errno.ENOENT: "does not exist; is the gate plugged in?",
    errno.ENXIO: "has no device behind it; is the gate plugged in?",
    errno.EACCES: "no permission; the user must be in the group that owns it (often dialout)",
    errno.EPERM: "no permission; the user must be in the group that owns it (often dialout)",
    errno.EBUSY: "is in use by another program",
    errno.EAGAIN: "is in use by another program",
    errno.ENOTTY: "is no serial port",
}


def open_port(path: str, baud: int = 115_200, light_line: Literal["rts", "dtr"] | None = None) -> serial.Serial:
    """The port, raw, non-blocking, locked for us; `light_line` stays off. Raises GateError."""
    port = serial.Serial(baudrate=baud, timeout=0, write_timeout=0, exclusive=True)
    port.port = path
    if light_line == "rts":
        port.rts = False
    elif light_line == "dtr":
        port.dtr = False
    try:
        port.open()
        _tell_empty_from_gone(port.fileno())
    except (serial.SerialException, termios.error, OSError, ValueError) as exc:
        port.close()
        raise GateError(path, _reason(exc)) from exc
    return port


def latency_ms(path: str, devices: Path = USB_SERIAL) -> int | None:
    """How long an FTDI adapter holds bytes back; none where there is no such setting."""
    try:
        return int(latency_file(path, devices).read_text())
    except (OSError, ValueError):
        return None


def latency_file(path: str, devices: Path = USB_SERIAL) -> Path:
    """Where the kernel keeps that setting of the port; there only for FTDI adapters."""
    return devices / os.path.realpath(path).rpartition("/")[2] / "latency_timer"


def _tell_empty_from_gone(fd: int) -> None:
    """With VMIN = 1 an empty port reads as EAGAIN, so that zero bytes can only mean a hang-up."""
    attributes = termios.tcgetattr(fd)
    attributes[6][termios.VMIN] = 1
    attributes[6][termios.VTIME] = 0
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def _reason(exc: Exception) -> str:
    number = getattr(exc, "errno", None)
    cause: BaseException | None = exc
    while number is None and cause is not None:  # pyserial wraps the error that carries the number
        first = cause.args[0] if cause.args else None
        number = first if isinstance(first, int) else None
        cause = cause.__cause__ or cause.__context__
    return _REASONS.get(number or 0, str(exc))
