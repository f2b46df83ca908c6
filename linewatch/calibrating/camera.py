"""Lens, scale, flat and dark field of one camera, from folders of its pictures, into one calibration."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from linewatch.calibrating import fields
from linewatch.calibrating.drawing import before_and_after, corners_sheet, profile_png, residuals_png
from linewatch.calibrating.lens import Lens, coverage_faults, error_faults, find_lens
from linewatch.calibrating.scale import find_scale, scale_faults
from linewatch.calibrating.sheet import SHEET, write_sheet
from linewatch.calibrating.target import Target
from linewatch.calibrating.views import View, look, never_seen, read_views
from linewatch.core.errors import CalibrationError, UsageError
from linewatch.core.station import Station
from linewatch.pictures.calibration import Calibration
from linewatch.pictures.read import read_picture
from linewatch.pictures.rectify import Rectifier
from linewatch.pictures.write import encode_jpeg, encode_png

FLAT, DARK = "flat.png", "dark.png"
PLANE = "plane"  # stem of the picture that shows the target where the parts are
_LEAST_FOR_LENS = 3


@dataclass(frozen=True)
class Sources:
    """Folders of pictures, none for what is not calibrated anew. plane: one picture. before: what is taken over."""

    target: Target
    pictures: Path | None = None
    plane: Path | None = None
    flat: Path | None = None
    dark: Path | None = None
    before: Calibration | None = None


@dataclass
class Found:
    """numbers: of the new calibration, by their keys. files: what lies beside them. faults: what is wrong with it.

    old_faults: what was wrong with that which is taken over. hopeless: something could not be found at all, so that
    nothing can be written, not even by force.
    """

    size_px: tuple[int, int]
    numbers: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[CalibrationError] = field(default_factory=list)
    views: Sequence[View] = ()
    plane: View | None = None
    flat: fields.Field | None = None
    lens: Lens | None = None
    old_faults: tuple[str, ...] = ()
    hopeless: bool = False


def calibrate_camera(station: Station, sources: Sources, day: date, most_error_px: float) -> Found:
    """Everything that `sources` tell about the station's camera, and all that is wrong; nothing is written.

    most_error_px: largest reprojection error, rms. Raises StorageError where pictures are missing, UsageError when the
    sources are not enough.
    """
    found = Found((station.camera.width, station.camera.height))
    found.numbers = {"camera": station.name, "date": day, "size_px": found.size_px, "mm_per_px": station.mm_per_px}
    for part in (_known, _find_lens, _find_plane, _find_fields):
        try:
            part(found, sources, most_error_px)
        except CalibrationError as exc:
            found.faults.append(exc)
            found.hopeless = True
    if found.numbers["mm_per_px"] is None and not found.hopeless:
        raise UsageError("--plane", "nothing tells the scale: neither this, nor --from, nor mm_per_px of the station")
    return found


def finish(found: Found) -> Calibration:
    """Draw what people look at and write the sheet; the calibration as it will stand in its folder."""
    found.numbers["faults"] = (*found.old_faults, *(str(fault) for fault in found.faults))
    calibration = Calibration.model_validate(found.numbers)
    with tempfile.TemporaryDirectory() as folder:
        _draw(found, Rectifier(_beside(calibration, found.files, Path(folder))))
    found.files[SHEET] = write_sheet(calibration, list(found.files))
    return calibration


def _known(found: Found, sources: Sources, _: float) -> None:
    """What the calibration before knows and these sources do not find anew."""
    if sources.before is not None:
        take_over(found, sources.before)
    anew = {"flat field": sources.flat, "dark field": sources.dark, "flat and dark field": sources.dark or sources.flat}
    if sources.pictures is not None or sources.plane is not None:
        found.numbers.pop("timing", None)  # it was in other pixels
    if sources.pictures is not None:
        found.old_faults = tuple(fault for fault in found.old_faults if fault.startswith(tuple(anew)))
    done = tuple(f"{name}:" for name, source in anew.items() if source is not None)
    found.old_faults = tuple(fault for fault in found.old_faults if not fault.startswith(done))


def take_over(found: Found, before: Calibration) -> None:
    """Numbers and fields of `before`. Raises CalibrationError when its pictures had another size."""
    if before.size_px != found.size_px:
        reason = f"was of another picture size, the station's camera gives {found.size_px[0]} x {found.size_px[1]}"
        raise CalibrationError("--from", reason, list(before.size_px))
    kept = before.model_dump(exclude={"camera", "date", "sha256", "faults", "flat_field", "dark_field"})
    found.numbers |= {key: value for key, value in kept.items() if value is not None}
    found.old_faults = before.faults
    if before.camera_matrix is not None:
        found.numbers["lens_date"] = before.lens_date or before.date
    found.lens = _lens_before(before)
    for key, name, path in (("flat_field", FLAT, before.flat_field), ("dark_field", DARK, before.dark_field)):
        if path is not None:
            found.numbers[key] = name
            found.files[name] = encode_png(read_picture(path))


def _find_lens(found: Found, sources: Sources, most_error_px: float) -> None:
    if sources.pictures is None:
        return
    found.views, wrong = read_views(sources.pictures, sources.target, found.size_px)
    found.faults += wrong
    if len(found.views) < _LEAST_FOR_LENS:
        reason = f"only {len(found.views)} views can be used, 8 are needed and 15 are good"
        raise CalibrationError(sources.pictures, reason)
    smaller = never_seen(found.views, sources.target)
    found.faults += [] if smaller is None else [smaller]
    found.faults += coverage_faults(found.views, found.size_px)
    lens = found.lens = find_lens(found.views, found.size_px)
    found.faults += error_faults(lens, found.views, most_error_px)
    found.numbers |= {
        "lens_date": None,
        "camera_matrix": lens.matrix.tolist(),
        "distortion": lens.distortion.tolist(),
        "reprojection_px": round(lens.reprojection_px, 4),
        "views": len(found.views),
    }
    found.files["corners.jpg"] = encode_jpeg(corners_sheet(found.views))
    found.files["residuals.png"] = residuals_png(lens, found.views, found.size_px)


def _find_plane(found: Found, sources: Sources, _: float) -> None:
    """The scale, from the one picture that shows the target where the parts are."""
    if sources.plane is not None:
        picture = read_picture(sources.plane)
        found.plane = look(picture, sources.target, sources.plane.name, found.size_px)
    else:
        found.plane = next((view for view in found.views if Path(view.name).stem == PLANE), None)
    if found.plane is None:
        if sources.pictures is not None:
            reason = (
                f"or a picture called {PLANE}.png is needed: the target flat where the parts are, square to the camera"
            )
            raise CalibrationError("--plane", reason)
        return
    scale = find_scale(found.plane, found.lens)
    found.faults += scale_faults(scale, found.plane)
    found.numbers["mm_per_px"] = round(scale.mm_per_px, 7)


def _find_fields(found: Found, sources: Sources, _: float) -> None:
    dark = None if sources.dark is None else fields.read_field(sources.dark, "dark field", found.size_px)
    flat = None if sources.flat is None else fields.read_field(sources.flat, "flat field", found.size_px)
    if dark is not None:
        found.faults += fields.dark_faults(dark)
        found.numbers |= {"dark_field": DARK, "hot_pixels": fields.hot_pixels(dark)}
        found.files[DARK] = encode_png(dark.picture)
    if flat is not None:
        found.faults += fields.flat_faults(flat, dark)
        found.numbers |= {
            "flat_field": FLAT,
            "dead_pixels": fields.dead_pixels(flat, found.numbers.get("hot_pixels", ())),
        }
        found.files[FLAT] = encode_png(flat.picture)
        found.flat = flat
    if dark is not None or flat is not None:
        bad = (*found.numbers.get("hot_pixels", ()), *found.numbers.get("dead_pixels", ()))
        found.faults += fields.pixel_faults(bad, found.size_px)


def _draw(found: Found, rectify: Rectifier) -> None:
    shown = found.plane or next(iter(found.views), None)
    if shown is not None:
        found.files["before_after.jpg"] = encode_jpeg(before_and_after(shown.picture, rectify))
    if found.flat is not None:
        found.files["profile.png"] = profile_png(found.flat, rectify)


def _beside(calibration: Calibration, files: dict[str, bytes], folder: Path) -> Calibration:
    """`calibration` with its fields lying in `folder`, so that the real rectification can be tried first."""
    changes: dict[str, Path] = {}
    for key, name in (("flat_field", FLAT), ("dark_field", DARK)):
        if name in files:
            (folder / name).write_bytes(files[name])
            changes[key] = folder / name
    return calibration.model_copy(update=changes)


def _lens_before(before: Calibration) -> Lens | None:
    if before.camera_matrix is None or before.distortion is None:
        return None
    matrix, distortion = np.array(before.camera_matrix), np.array(before.distortion)
    return Lens(matrix, distortion, before.reprojection_px or 0.0, (), np.zeros((0, 2)))
