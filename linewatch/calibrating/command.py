"""What `linewatch calibrate` does with what was found: say every fault, write what is good, and say what to do next."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from linewatch.calibrating.camera import Found, Sources, calibrate_camera, finish
from linewatch.calibrating.rejecter import Way
from linewatch.calibrating.timing import advice, calibrate_timing
from linewatch.calibrating.writing import free_folder, require_new, write_calibration
from linewatch.core.errors import CalibrationError, UsageError
from linewatch.core.station import Station, load_station, site_folder
from linewatch.pictures.calibration import Calibration, load_calibration

CALIBRATIONS = "calibration"  # folder beside stations/


def today() -> date:
    """The day that a calibration bears: of the local clock, as people count days."""
    return datetime.now(UTC).astimezone().date()


def folder_for(path: Path, station: Station) -> Path:
    """Where the next calibration of the station file at `path` goes: calibration/<camera>/<date>."""
    return free_folder(site_folder(path) / CALIBRATIONS / station.name, today())


def calibration_before(station: Station, chosen: Path | None) -> Calibration | None:
    """What is taken over: the calibration in the folder `chosen`, else the station's own, if it has one."""
    folder = chosen or station.calibration
    return None if folder is None else load_calibration(folder)


def camera_command(
    path: Path, sources: Sources, *, before: Path | None, output: Path | None, most_error_px: float, force: bool
) -> tuple[Path | None, list[CalibrationError]]:
    """Calibrate the camera of the station file at `path`; the folder written, none when the faults forbade it.

    before: folder of the calibration that is taken over, none takes the station's. output: the new folder, none takes
    calibration/<camera>/<date>. force: write although something is wrong, and name it there.
    Raises UsageError, CalibrationError, StationError or StorageError.
    """
    if all(source is None for source in (sources.pictures, sources.plane, sources.flat, sources.dark)):
        raise UsageError("linewatch calibrate camera", "needs --pictures, --plane, --flat or --dark")
    require_new(output)
    station = load_station(path)
    known = calibration_before(station, before)
    sources = Sources(sources.target, sources.pictures, sources.plane, sources.flat, sources.dark, known)
    found = calibrate_camera(station, sources, today(), most_error_px)
    return keep(path, station, found, output, force=force)


def timing_command(
    path: Path,
    delays_ms: Sequence[float],
    way: Way,
    *,
    before: Path | None,
    output: Path | None,
    force: bool,
    say: Callable[[str], object],
) -> tuple[Path | None, list[CalibrationError]]:
    """Run parts through gate and camera of the station file at `path`; as `camera_command` otherwise."""
    require_new(output)
    station = load_station(path)
    found = calibrate_timing(station, calibration_before(station, before), delays_ms, way, today(), say)
    folder, faults = keep(path, station, found, output, force=force)
    if folder is not None:
        written = load_calibration(folder)
        for words in [] if written.timing is None else advice(written.timing, station, written.mm_per_px):
            say(words)
    return folder, faults


def keep(
    path: Path, station: Station, found: Found, output: Path | None, *, force: bool
) -> tuple[Path | None, list[CalibrationError]]:
    """Write what was found for the station file at `path`; the folder written, if any, and all that is wrong."""
    if found.hopeless or (found.faults and not force):
        return None, found.faults
    try:
        calibration = finish(found)
    except CalibrationError as exc:
        return None, [*found.faults, CalibrationError("correction", f"cannot be applied: {exc.reason}")]
    folder = output or folder_for(path, station)
    write_calibration(folder, calibration, found.files)
    load_calibration(folder)
    return folder, found.faults
