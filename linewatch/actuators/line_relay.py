"""A relay on a control line of a serial port: the line is on while parts may pass, and off is reject.

The port's other line changes every 100 ms while decisions can be trusted, for a watchdog relay: a line alone stays as
it is when its process hangs. When the process ends, or the port is pulled, both lines fall, and that is reject.
"""

import contextlib
from collections.abc import Callable

from linewatch.actuators.control_lines import ControlLines, Line
from linewatch.actuators.device import Device
from linewatch.actuators.output import State
from linewatch.core.errors import DeviceError


class LineRelay(Device):
    """A port that is lost is opened again."""

    def __init__(self, path: str, line: Line, open_lines: Callable[[str], ControlLines]) -> None:
        """line: lets parts pass while it is on. Opens the port. Raises DeviceError."""
        super().__init__()
        self._path = path
        self._pass_line = line
        self._watchdog_line: Line = "dtr" if line == "rts" else "rts"
        self._open = open_lines
        self._beat = False
        self._lines: ControlLines | None = open_lines(path)

    def _write(self, state: State) -> None:
        if self._lines is None:
            self._lines = self._open(self._path)
        try:
            self._lines.set(self._pass_line, not state.reject)
            if state.trusted:
                self._beat = not self._beat
                self._lines.set(self._watchdog_line, self._beat)
        except OSError as exc:
            raise DeviceError(self._path, exc.strerror or "is gone") from exc

    def _drop(self) -> None:
        lines, self._lines = self._lines, None
        if lines is not None:
            with contextlib.suppress(OSError):  # it is gone: its lines have fallen
                lines.close()
