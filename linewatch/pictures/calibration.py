"""What one camera was found to be on one day: scale, lens, uneven light. A folder, never changed after that day.

calibration/<camera>/<date>/calibration.yaml, with the flat field beside it; a station names the exact date.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from linewatch.core.errors import CalibrationError
from linewatch.core.station import Section, Station
from linewatch.core.yamltext import parse_yaml
from linewatch.pictures.sums import check_sums

CALIBRATION_FILE = "calibration.yaml"
_COEFFICIENTS = (4, 5, 8, 12, 14)  # OpenCV's lens models, by their number of coefficients

Finite = Annotated[float, Field(allow_inf_nan=False)]
Row = tuple[Finite, Finite, Finite]
Side = Annotated[int, Field(gt=0, le=65_536)]
Offset = Annotated[int, Field(ge=0)]
Day = date  # also the name of a key
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Timing(Section):
    """When a part is where, at full speed. Pixels of the rectified picture, x right and y down."""

    capture_delay_ms: Finite = Field(description="from the gate to the exposure that has the part in the middle")
    travel_px_per_ms: tuple[Finite, Finite] = Field(description="how the part moves through the picture")
    speed_mm_per_s: float = Field(gt=0, description="speed of the part")
    residual_px: float = Field(ge=0, description="deviation of the places from an even motion, along it, rms")
    places: int = Field(ge=3, description="pictures that it was found from")
    transport_ms: float | None = Field(None, gt=0, description="from the gate to the rejecter")
    transport_from: Literal["entered", "distance", "sensor"] | None = Field(None, description="how that was found")


class Calibration(Section):
    """One camera's calibration. Pixels count from the upper left corner, y down."""

    camera: str = Field(min_length=1, description="name of the camera, as its folder")
    date: date
    size_px: tuple[Side, Side] = Field(description="width and height of the sensor picture")
    mm_per_px: float = Field(gt=0, allow_inf_nan=False, description="scale of the rectified picture on the part")
    camera_matrix: tuple[Row, Row, Row] | None = Field(None, description="fx 0 cx / 0 fy cy / 0 0 1, px")
    distortion: tuple[Finite, ...] | None = Field(None, description="k1 k2 p1 p2 [k3 [k4 k5 k6 ...]] of OpenCV")
    flat_field: Path | None = Field(None, description="picture of an evenly bright surface, beside this file")
    dark_field: Path | None = Field(None, description="picture without any light, beside this file")
    hot_pixels: tuple[tuple[Offset, Offset], ...] = Field((), description="x, y of those that shine in the dark")
    dead_pixels: tuple[tuple[Offset, Offset], ...] = Field((), description="x, y of those that do not follow the light")
    region: tuple[Offset, Offset, Side, Side] | None = Field(
        None, description="x, y, width, height that is inspected, in the undistorted picture"
    )
    reprojection_px: float | None = Field(None, ge=0, description="error of the lens model, rms over all corners")
    views: int | None = Field(None, ge=1, description="pictures of the target that the lens was found from")
    lens_date: Day | None = Field(None, description="when the lens was found, where it was taken over")
    timing: Timing | None = Field(None, description="when a part is where")
    faults: tuple[str, ...] = Field((), description="what was wrong and accepted by --force when it was made")
    sha256: dict[str, Sha256] | None = Field(
        None, description="of each file beside this one, and of these numbers (`numbers`); verified at every start"
    )

    @model_validator(mode="after")
    def _lens_is_whole(self) -> "Calibration":
        if (self.camera_matrix is None) != (self.distortion is None):
            raise ValueError("camera_matrix and distortion must be given together")
        if self.distortion is not None and len(self.distortion) not in _COEFFICIENTS:
            raise ValueError(f"distortion must have 4, 5, 8, 12 or 14 coefficients, has {len(self.distortion)}")
        if self.camera_matrix is not None:
            (fx, _, _), (_, fy, _), last = self.camera_matrix
            if fx <= 0 or fy <= 0 or last != (0.0, 0.0, 1.0):
                raise ValueError("camera_matrix must have fx, fy > 0 and the last row 0 0 1")
        return self

    @model_validator(mode="after")
    def _region_lies_inside(self) -> "Calibration":
        if self.region is not None:
            x, y, width, height = self.region
            if x + width > self.size_px[0] or y + height > self.size_px[1]:
                raise ValueError(f"region reaches beyond size_px {self.size_px[0]} x {self.size_px[1]}")
        return self

    @model_validator(mode="after")
    def _pixels_lie_inside(self) -> "Calibration":
        for x, y in (*self.hot_pixels, *self.dead_pixels):
            if x >= self.size_px[0] or y >= self.size_px[1]:
                raise ValueError(f"pixel {x}, {y} lies outside of size_px {self.size_px[0]} x {self.size_px[1]}")
        return self

    @property
    def rectified_px(self) -> tuple[int, int]:
        """Width and height of the rectified picture."""
        return self.size_px if self.region is None else (self.region[2], self.region[3])


def load_calibration(folder: Path) -> Calibration:
    """The calibration in `folder`, its flat field's path made absolute.

    Raises CalibrationError that names file, key, value and reason of the first error and counts the rest.
    """
    path = folder / CALIBRATION_FILE
    document = _read(path)
    if not isinstance(document, dict):
        raise CalibrationError(path, "must be a YAML mapping", type(document).__name__)
    try:
        found = Calibration.model_validate(document)
    except ValidationError as exc:
        raise _first_error(path, exc) from exc
    check_sums(path, document, found.sha256)
    beside = {"flat_field": found.flat_field, "dark_field": found.dark_field}
    return found.model_copy(update={key: folder / name for key, name in beside.items() if name is not None})


def described(folder: Path, found: Calibration) -> str:
    """One line: which calibration, how old, how good."""
    age = (datetime.now(UTC).astimezone().date() - found.date).days
    words = [f"{age} days old" if age != 1 else "1 day old", f"{found.mm_per_px:.5g} mm/px"]
    if found.reprojection_px is None:
        words.append("no lens" if found.camera_matrix is None else "reprojection error unknown")
    else:
        words.append(f"reprojection error {found.reprojection_px:.3f} px")
    words += [f"lens of {found.lens_date}"] if found.lens_date is not None else []
    words += ["flat field"] if found.flat_field is not None else []
    if found.timing is not None:
        words.append(f"part in the middle {found.timing.capture_delay_ms:.1f} ms after the gate")
    return f"{folder}: {', '.join(words)}"


def load_station_calibration(station: Station) -> Calibration | None:
    """The calibration that `station` names, or none. Raises CalibrationError, also when its size is another."""
    if station.calibration is None:
        return None
    found = load_calibration(station.calibration)
    camera = (station.camera.width, station.camera.height)
    if camera != found.size_px:
        raise CalibrationError(
            f"{station.calibration / CALIBRATION_FILE}: size_px",
            f"the station's camera gives {camera[0]} x {camera[1]}",
            list(found.size_px),
        )
    return found


def _read(path: Path) -> Any:
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise CalibrationError(path, exc.strerror or "cannot be read") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise CalibrationError(path, f"is not YAML: {exc}") from exc


def _first_error(path: Path, exc: ValidationError) -> CalibrationError:
    errors = exc.errors(include_url=False)
    first = errors[0]
    key = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    reason = "unknown key" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
    shown = first["input"] if isinstance(first["input"], str | int | float | bool) else None
    return CalibrationError(f"{path}: {key}" if key else path, reason + more, shown)
