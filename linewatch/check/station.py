"""`linewatch check STATION`: whether a station could run here and now."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from linewatch.check import devices, machine
from linewatch.check.answers import Answer, Finding, Looked, raised, warning
from linewatch.check.detector import detector_errors, detector_speed, missing_device, strange_retention
from linewatch.check.output import require_writable_folder
from linewatch.core.errors import CalibrationError, KeysError, LinewatchError, StationError, StorageError
from linewatch.core.keyfiles import read_secret
from linewatch.core.station import Station, load_station, read_yaml, station_errors
from linewatch.line.endpoints import check_endpoint
from linewatch.line.line_keys import line_keys
from linewatch.pictures.calibration import described, load_station_calibration
from linewatch.pictures.rectify import rectifier_for
from linewatch.triggers.port import USB_SERIAL

_TRANSPORT_MS, _TRANSPORT_SHARE = 5.0, 0.02  # a blow so early or late is one beside the part


def check(path: Path, *, offline: bool = False, usb_serial: Path = USB_SERIAL) -> list[Finding]:
    """Everything that keeps the station file at `path` from running; empty when it would. Nothing is measured."""
    found = look(path, offline=offline, measure=False, usb_serial=usb_serial)
    return [one for one in found if isinstance(one, Finding)]


def look(path: Path, *, offline: bool = False, measure: bool = True, usb_serial: Path = USB_SERIAL) -> Looked:
    """Everything that is wrong with the station file at `path`, then what hardware and machine answer.

    offline: the station's devices are elsewhere, so that their absence is only a warning, and nothing is measured.
    measure: rejecter, network and machine as well. Gate and camera are opened and closed again, the light flashes.
    usb_serial: where the kernel lists USB serial adapters. When the file itself is wrong, nothing further is looked at.
    """
    try:
        wrong: list[StationError] = station_errors(read_yaml(path), path)
    except StationError as exc:
        wrong = [exc]
    if wrong:
        yield from map(Finding, wrong)
        return
    station = load_station(path)
    errors = [
        *detector_errors(station, path),
        *_shadow(station, path),
        *_calibration(station),
        *_endpoints(station, path),
        *_output(station),
    ]
    yield from map(Finding, errors)
    yield from map(warning, [*_doubtful(station, path), *strange_retention(station, path), *_openness(station, path)])
    yield from _calibration_in_use(station)
    yield from devices.slow_adapter(station, usb_serial)
    for found in _devices(station, usb_serial):
        yield warning(found.error) if offline and isinstance(found, Finding) else found
    if measure and not offline:
        yield from _measured(station, errors)


def _devices(station: Station, usb_serial: Path) -> Looked:
    """GPU, gate, light and camera, as the daemon would use them."""
    yield from map(Finding, missing_device(station))
    yield from devices.gate_and_light(station, usb_serial)
    yield from devices.camera(station)


def _measured(station: Station, errors: list[LinewatchError]) -> Looked:
    """What takes its time; not of a part that is known to be wrong."""
    if not any(isinstance(error, StationError | KeysError) for error in errors):
        yield from devices.rejecter(station)
    yield from detector_speed(station)
    if not any(isinstance(error, StorageError) for error in errors):
        yield from machine.disk(station)
    yield from machine.memory(station)
    yield from machine.clock()


def _shadow(station: Station, path: Path) -> Iterator[LinewatchError]:
    """What keeps the shadow from looking; the line itself would run."""
    if station.candidate is not None:
        yield from detector_errors(station.candidate, f"{path}: shadow")


def _calibration_in_use(station: Station) -> Iterator[Answer]:
    """Which calibration the station uses, how old and how good; nothing when it is not sound, which was said."""
    with contextlib.suppress(CalibrationError):
        found = load_station_calibration(station)
        in_use = "none, raw pixels"
        if found is not None and station.calibration is not None:
            in_use = described(station.calibration, found)
        yield Answer("calibration", in_use)


def _calibration(station: Station) -> Iterator[LinewatchError]:
    yield from raised(lambda: rectifier_for(station))


def _doubtful(station: Station, path: Path) -> Iterator[LinewatchError]:
    """What runs, but hardly as it was meant."""
    try:
        found = load_station_calibration(station)
    except CalibrationError:
        return  # said already
    if found is None:
        return
    if station.mm_per_px not in (None, found.mm_per_px):
        yield StationError(f"{path}: mm_per_px", f"the calibration's {found.mm_per_px:g} is used", station.mm_per_px)
    for fault in found.faults:
        yield CalibrationError(str(station.calibration), f"was written by --force although: {fault}")
    measured = None if found.timing is None else found.timing.transport_ms
    said = station.rejecter.transport_ms
    if measured is not None and abs(said - measured) > max(_TRANSPORT_MS, _TRANSPORT_SHARE * measured):
        yield StationError(f"{path}: rejecter.transport_ms", f"the calibration found {measured:g} ms", said)


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
    yield from raised(lambda: require_writable_folder(station.storage.output))
    key = station.storage.audit_key
    if key is not None:
        yield from raised(lambda: read_secret(key))
