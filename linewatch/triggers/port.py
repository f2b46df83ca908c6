"""The gate's serial port, and how long its adapter holds triggers back."""

import os
from pathlib import Path
from typing import Literal

import serial

from linewatch.core.errors import DeviceError, GateError
from linewatch.core.serialport import open_serial

USB_SERIAL = Path("/sys/bus/usb-serial/devices")


def open_port(path: str, baud: int = 115_200, light_line: Literal["rts", "dtr"] | None = None) -> serial.Serial:
    """The port, raw, non-blocking, locked for us; `light_line` stays off. Raises GateError."""
    try:
        return open_serial(path, baud, "gate", quiet=light_line)
    except DeviceError as exc:
        raise GateError(path, exc.reason) from exc


def latency_ms(path: str, devices: Path = USB_SERIAL) -> int | None:
    """How long an FTDI adapter holds bytes back; none where there is no such setting."""
    try:
        return int(latency_file(path, devices).read_text())
    except (OSError, ValueError):
        return None


def latency_file(path: str, devices: Path = USB_SERIAL) -> Path:
    """Where the kernel keeps that setting of the port; there only for FTDI adapters."""
    return devices / os.path.realpath(path).rpartition("/")[2] / "latency_timer"
