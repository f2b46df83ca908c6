"""RTS and DTR of a serial port, as a relay's inputs: the ioctl part, and nothing else."""

import fcntl
import termios
from typing import Literal, Protocol

from linewatch.core.errors import DeviceError
from linewatch.core.serialport import open_serial

Line = Literal["rts", "dtr"]


class ControlLines(Protocol):
    """Two lines that are off until they are set, and off again when the port is closed or its process ends."""

    def set(self, line: Line, on: bool) -> None:
        """Raises OSError when the port is gone."""
        ...

    def close(self) -> None: ...


class SerialLines:
    """The lines of the port at `path`."""

    def __init__(self, path: str) -> None:
        """Opens the port, both lines off. Raises DeviceError."""
        self._port = open_serial(path, 9600, "relay", quiet="both")
        try:
            fcntl.ioctl(self._port.fileno(), termios.TIOCMGET, bytes(4))
        except OSError as exc:
            self._port.close()
            raise DeviceError(path, f"has no control lines: {exc.strerror}") from exc

    def set(self, line: Line, on: bool) -> None:
        setattr(self._port, line, on)

    def close(self) -> None:
        self._port.close()
