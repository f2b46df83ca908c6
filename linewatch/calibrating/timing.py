"""Gate to camera and gate to rejecter: what a short run with a test part tells, as a calibration."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from linewatch.calibrating.camera import Found, take_over
from linewatch.calibrating.drawing import motion_png
from linewatch.calibrating.motion import Motion, find_motion, motion_faults
from linewatch.calibrating.rejecter import Way, transport
from linewatch.calibrating.stepping import step_through
from linewatch.core.cameras import TriggeredCamera
from linewatch.core.errors import CalibrationError, UsageError
from linewatch.core.station import Station
from linewatch.pictures.calibration import Calibration, Timing
from linewatch.pictures.rectify import Rectifier


def calibrate_timing(
    station: Station,
    before: Calibration | None,
    delays_ms: Sequence[float],
    way: Way,
    day: date,
    say: Callable[[str], object],
) -> Found:
    """Everything that `before` knows, with the timing as this run finds it, and all that is wrong; nothing is written.

    before: none is raw pixels at the station's mm_per_px. Raises UsageError without a scale, GateError, CameraError.
    """
    found = Found((station.camera.width, station.camera.height))
    found.numbers = {"camera": station.name, "date": day, "size_px": found.size_px, "mm_per_px": station.mm_per_px}
    if before is not None:
        take_over(found, before)
        found.old_faults = tuple(fault for fault in found.old_faults if not fault.startswith("timing:"))
    if found.numbers["mm_per_px"] is None:
        raise UsageError("linewatch calibrate timing", "needs a scale: calibrate the camera first, or set mm_per_px")
    transport(replace(way, sensor_mm=0.0), 1.0)  # a wrong log is said before anybody sends parts through
    rectify = None if before is None else Rectifier(before)
    size_px = found.size_px if before is None else before.rectified_px
    seen = step_through(station, delays_ms, rectify, say)
    try:
        motion = find_motion(seen, size_px)
        found.faults += motion_faults(motion, seen, found.numbers["mm_per_px"], min(size_px))
        found.numbers["timing"] = _section(motion, way, found.numbers["mm_per_px"])
    except CalibrationError as exc:
        found.faults.append(exc)
        found.hopeless = True
        return found
    found.files["motion.png"] = motion_png(
        [(one.after_ms, one.x, one.y) for one in seen],
        [(at, *motion.at(at)) for at in (min(delays_ms), max(delays_ms))],
    )
    return found


def advice(timing: Timing, station: Station, mm_per_px: float) -> list[str]:
    """What to do with the times, in words."""
    x, y = timing.travel_px_per_ms
    far_mm = timing.capture_delay_ms * (x * x + y * y) ** 0.5 * mm_per_px
    where = "camera.delay_ms" if isinstance(station.camera, TriggeredCamera) else "camera or strobe"
    words = [
        f"the part is in the middle {timing.capture_delay_ms:.1f} ms after the gate: delay the exposure by that "
        f"({where}), or move the gate {far_mm:.1f} mm downstream"
    ]
    if timing.capture_delay_ms > station.line.max_capture_ms:
        words.append(f"line.max_capture_ms {station.line.max_capture_ms:g} is less: a delayed exposure needs more")
    if timing.transport_ms is not None:
        said = f"the station says {station.rejecter.transport_ms:g}"
        words.append(f"rejecter.transport_ms: {timing.transport_ms:.1f}  # {said}")
    return words


def _section(motion: Motion, way: Way, mm_per_px: float) -> dict[str, object]:
    speed = motion.speed_px_per_ms * mm_per_px  # mm per ms, which is m per s
    times = transport(way, speed)
    section: dict[str, object] = {
        "capture_delay_ms": round(motion.capture_delay_ms, 3),
        "travel_px_per_ms": tuple(round(value, 6) for value in motion.velocity),
        "speed_mm_per_s": round(speed * 1000, 3),
        "residual_px": round(motion.residual_px, 3),
        "places": motion.places,
    }
    if times is not None:
        section |= {"transport_ms": round(times[0], 2), "transport_from": times[1]}
    return section
