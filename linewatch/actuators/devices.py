"""The device of `linewatch actuator`: a PLC or a relay, one of the two."""

import re
from typing import TYPE_CHECKING

from linewatch.actuators.control_lines import Line, SerialLines
from linewatch.actuators.line_relay import LineRelay
from linewatch.actuators.output import Output
from linewatch.actuators.relay import SerialRelay
from linewatch.core.errors import UsageError

if TYPE_CHECKING:
    from linewatch.actuators.plc import ModbusPlc

MODBUS_PORT = 502
_ADDRESS = re.compile(r"(?P<host>\[[^\]\s]+\]|[^\s:/\[\]]+)(:(?P<port>\d{1,5}))?")


def build_output(
    *,
    modbus: str | None,
    unit: int,
    base: int,
    relay: str | None,
    baud: int,
    relay_line: Line | None = None,
    confirms: bool = False,
) -> Output:
    """The device that the options name. relay_line: what the relay hangs on. confirms: a sensor counts what leaves.

    Raises UsageError unless they name one device, DeviceError for a port.
    """
    if modbus is not None and relay is not None:
        raise UsageError("--modbus and --relay", "exclude each other: one process drives one device")
    if relay is not None and relay_line is not None:
        if confirms:
            raise UsageError(
                "--confirm-ms", "needs a PLC or a relay that counts what leaves; a control line says nothing"
            )
        return LineRelay(relay, relay_line, SerialLines)
    if relay is not None:
        return SerialRelay(relay, baud)
    if relay_line is not None:
        raise UsageError("--relay-line", "needs --relay PORT", relay_line)
    if modbus is None:
        raise UsageError("--modbus or --relay", "must name the device to drive")
    host, port = parse_address(modbus)
    return _plc()(host, port, unit, base, confirms=confirms)


def parse_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST` or `HOST:PORT`. Raises UsageError."""
    match = _ADDRESS.fullmatch(text)
    port = int(match["port"] or MODBUS_PORT) if match else 0
    if match is None or not 1 <= port <= 65535:
        raise UsageError("--modbus", "must be HOST or HOST:PORT", text)
    return match["host"].strip("[]"), port


def _plc() -> "type[ModbusPlc]":
    try:
        from linewatch.actuators.plc import ModbusPlc
    except ImportError as exc:
        raise UsageError("--modbus", "needs pymodbus: pip install 'linewatch[modbus]'") from exc
    return ModbusPlc
