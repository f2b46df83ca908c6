"""Opening a serial port for this process alone, and saying plainly why it cannot be opened."""

import errno
import termios
from typing import Literal

import serial

from linewatch.core.errors import DeviceError

Quiet = Literal["rts", "dtr", "both"]

_REASONS = {
    errno.ENOENT: "does not exist; is the {what} plugged in?",
    errno.ENXIO: "has no device behind it; is the {what} plugged in?",
    errno.EACCES: "no permission; the user must be in the group that owns it (often dialout)",
    errno.EPERM: "no permission; the user must be in the group that owns it (often dialout)",
    errno.EBUSY: "is in use by another program",
    errno.EAGAIN: "is in use by another program",
    errno.ENOTTY: "is no serial port",
}


def open_serial(path: str, baud: int, what: str, quiet: Quiet | None = None) -> serial.Serial:
    """The port, raw, non-blocking, locked for us. Raises DeviceError.

    what: the device that belongs there, for the message. quiet: control lines that stay off.
    """
    port = serial.Serial(baudrate=baud, timeout=0, write_timeout=0, exclusive=True)
    port.port = path
    if quiet in ("rts", "both"):
        port.rts = False
    if quiet in ("dtr", "both"):
        port.dtr = False
    try:
        port.open()
        _tell_empty_from_gone(port.fileno())
    except (serial.SerialException, termios.error, OSError, ValueError) as exc:
        port.close()
        raise DeviceError(path, _reason(exc, what)) from exc
    return port


def _tell_empty_from_gone(fd: int) -> None:
    """With VMIN = 1 an empty port reads as EAGAIN, so that zero bytes can only mean a hang-up."""
    attributes = termios.tcgetattr(fd)
    attributes[6][termios.VMIN] = 1
    attributes[6][termios.VTIME] = 0
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def _reason(exc: Exception, what: str) -> str:
    number = getattr(exc, "errno", None)
    cause: BaseException | None = exc
    while number is None and cause is not None:  # pyserial wraps the error that carries the number
        first = cause.args[0] if cause.args else None
        number = first if isinstance(first, int) else None
        cause = cause.__cause__ or cause.__context__
    return _REASONS[number].format(what=what) if number in _REASONS else str(exc)
