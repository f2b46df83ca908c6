"""`linewatch check STATION`: whether a station could run here and now."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from linewatch.cameras.choose import camera_for
from linewatch.check.detector import detector_errors, missing_device
from linewatch.check.output import require_writable_folder
from linewatch.core.clock import MonotonicClock
from linewatch.core.errors import CalibrationError, LinewatchError, StationError
from linewatch.core.station import Station, load_station, read_yaml, station_errors
from linewatch.line.endpoints import check_endpoint
from linewatch.pictures.calibration import load_station_calibration
from linewatch.pictures.rectify import rectifier_for
from linewatch.triggers.keeper import build_gate


class _Openable(Protocol):
    def open(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. is_warning: true of a device that need not be there now."""

    error: LinewatchError
    is_warning: bool = False


def check(path: Path, *, offline: bool = False) -> list[Finding]:
    """Everything that keeps the station file at `path` from running; empty when it would.

    offline: the station's devices are elsewhere, so that their absence is only a warning. Gate and camera are opened
    and closed again. When the file itself is wrong, nothing further is looked at.
    """
    try:
        wrong: list[StationError] = station_errors(read_yaml(path), path)
    except StationError as exc:
        wrong = [exc]
    if wrong:
        return [Finding(error) for error in wrong]
    station = load_station(path)
    errors = [*detector_errors(station, path), *_calibration(station), *_endpoints(station, path), *_output(station)]
    return [
        *(Finding(error) for error in errors),
        *(Finding(error, is_warning=True) for error in _doubtful(station, path)),
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


def _endpoints(station: Station, path: Path) -> Iterator[LinewatchError]:
    for key in ("observers", "actuators"):
        try:
            check_endpoint(key, getattr(station.endpoints, key), station.endpoints.plaintext)
        except StationError as exc:
            yield StationError(f"{path}: {exc.where}", exc.reason, exc.value)


def _output(station: Station) -> Iterator[LinewatchError]:
    yield from _raised(lambda: require_writable_folder(station.storage.output))


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
