"""`linewatch check STATION`: whether a station could run here and now."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from linewatch.cameras.choose import camera_for
from linewatch.check.detector import detector_errors, missing_device
from linewatch.check.output import require_writable_folder
from linewatch.core.clock import MonotonicClock
from linewatch.core.errors import CalibrationError, GateError, LinewatchError, StationError
from linewatch.core.keyfiles import read_secret
from linewatch.core.station import Station, load_station, read_yaml, station_errors
from linewatch.line.endpoints import check_endpoint
from linewatch.line.line_keys import line_keys
from linewatch.pictures.calibration import load_station_calibration
from linewatch.pictures.rectify import rectifier_for
from linewatch.triggers.keeper import build_gate
from linewatch.triggers.port import USB_SERIAL, latency_file, latency_ms


class _Openable(Protocol):
    def open(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. is_warning: true of a device that need not be there now."""

    error: LinewatchError
    is_warning: bool = False


def check(path: Path, *, offline: bool = False, usb_serial: Path = USB_SERIAL) -> list[Finding]:
    """Everything that keeps the station file at `path` from running; empty when it would.

    offline: the station's devices are elsewhere, so that their absence is only a warning. Gate and camera are opened
    and closed again. usb_serial: where the kernel lists USB serial adapters.
    When the file itself is wrong, nothing further is looked at.
    """
    try:
        wrong: list[StationError] = station_errors(read_yaml(path), path)
    except StationError as exc:
        wrong = [exc]
    if wrong:
        return [Finding(error) for error in wrong]
    station = load_station(path)
    errors = [*detector_errors(station, path), *_calibration(station), *_endpoints(station, path), *_output(station)]
    warnings = [*_doubtful(station, path), *_openness(station, path), *_slow(station, usb_serial)]
    return [
        *(Finding(error) for error in errors),
        *(Finding(error, is_warning=True) for error in warnings),
        *(Finding(error, is_warning=offline) for error in _devices(station)),
    ]


def _calibration(station: Station) -> Iterator[LinewatchError]:
    yield from _raised(lambda: rectifier_for(station))


def _doubtful(station: Station, path: Path) -> Iterator[LinewatchError]:
    """What runs, but hardly as it was meant."""
    try:
        found = load_station_calibration(station)
    except CalibrationError:
        return  # said already
    if found is not None and station.mm_per_px not in (None, found.mm_per_px):
        yield StationError(f"{path}: mm_per_px", f"the calibration's {found.mm_per_px:g} is used", station.mm_per_px)


def _slow(station: Station, usb_serial: Path) -> Iterator[LinewatchError]:
    """An adapter that holds every trigger back."""
    held_ms = latency_ms(station.gate.port, usb_serial)
    if held_ms is not None and held_ms > 1:
        reason = "ms is how long a trigger may be held back; write 1 there (the udev rules of `linewatch install` do)"
        yield GateError(latency_file(station.gate.port, usb_serial), reason, held_ms)


def _endpoints(station: Station, path: Path) -> Iterator[LinewatchError]:
    for key in ("observers", "actuators"):
        try:
            check_endpoint(key, getattr(station.endpoints, key))
        except StationError as exc:
            yield _of_file(exc, path)
    try:
        line_keys(station)
    except StationError as exc:
        yield _of_file(exc, path)


def _openness(station: Station, path: Path) -> Iterator[LinewatchError]:
    """Who else may get at the decisions, or nobody at all."""
    endpoints = station.endpoints
    for key in ("observers", "actuators"):
        endpoint = getattr(endpoints, key)
        if endpoint.startswith("tcp://") and endpoints.plaintext:
            yield StationError(
                f"{path}: endpoints.{key}", "no keys and no encryption, as endpoints.plaintext says", endpoint
            )
    try:
        keys = line_keys(station)
    except StationError:
        return  # said already
    if keys is not None and not len(keys.allowed):
        yield StationError(f"{path}: security.folder", "no client is allowed yet: `linewatch keys allow`")


def _of_file(error: StationError, path: Path) -> StationError:
    return StationError(f"{path}: {error.where}", error.reason, error.value)


def _output(station: Station) -> Iterator[LinewatchError]:
    yield from _raised(lambda: require_writable_folder(station.storage.output))
    key = station.storage.audit_key
    if key is not None:
        yield from _raised(lambda: read_secret(key))


def _devices(station: Station) -> Iterator[LinewatchError]:
    """GPU, gate and camera, as the daemon would open them."""
    yield from missing_device(station)
    yield from _raised(lambda: _open(build_gate(station, MonotonicClock())))
    yield from _raised(lambda: _open(camera_for(station)))


def _open(device: _Openable) -> None:
    device.open()
    device.close()


def _raised(attempt: Callable[[], object]) -> Iterator[LinewatchError]:
    """The error that `attempt` ends with, if any."""
    try:
        attempt()
    except LinewatchError as exc:
        yield exc
