"""The station file: one YAML document, one typed model, every field documented, unknown keys refused.

Relative paths are taken from the folder that holds `stations/` (the project or the site folder), so that a station file
reads the same wherever the daemon is started.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from linewatch.core.cameras import Camera, FolderCamera
from linewatch.core.criteria import Criterion as Criterion
from linewatch.core.criteria import Zone as Zone
from linewatch.core.dashboard import Dashboard
from linewatch.core.detectors import Detector
from linewatch.core.errors import StationError
from linewatch.core.keeping import Keep, check_rules
from linewatch.core.section import Section as Section
from linewatch.core.shadow import Shadow
from linewatch.core.shifts import Shifts
from linewatch.core.times import contradictions
from linewatch.core.yamltext import parse_yaml


class FramedGate(Section):
    """Serial gate that sends framed ASCII: counter, its own clock, checksum (see linewatch/triggers/protocol.py)."""

    kind: Literal["framed"]
    port: str = Field(description="serial device, best a stable name from /dev/serial/by-id")
    baud: int = Field(115_200, gt=0, description="bits per second")


class EdgeGate(Section):
    """Photoelectric switch on a modem control line: every edge is one part."""

    kind: Literal["edge"]
    port: str = Field(description="serial device whose control line the switch is wired to")
    line: Literal["cts", "dsr", "dcd", "ri"] = Field("cts", description="control line that the switch drives")
    active: Literal["rising", "falling"] = Field("rising", description="edge that means: a part arrived")
    debounce_ms: float = Field(5.0, ge=0, description="edges closer than this to the last one are bounce")


Gate = Annotated[FramedGate | EdgeGate, Field(discriminator="kind")]


class Light(Section):
    """What turns the light on with the exposure."""

    kind: Literal["serial_command", "control_line", "camera_strobe", "none"] = Field(
        "camera_strobe", description="who fires the light"
    )
    duration_us: int = Field(500, gt=0, description="how long the light is on")
    line: Literal["rts", "dtr"] = Field("rts", description="control line of the gate's port, for control_line")


class Exposure(Section):
    """When a picture is too dark or too bright to be trusted (mean grey value of the rectified picture)."""

    min_mean: float = Field(0.0, ge=0, le=255, description="darker is cause `exposure`")
    max_mean: float = Field(255.0, ge=0, le=255, description="brighter is cause `exposure`")


class Focus(Section):
    """When a picture is too blurred to be trusted. Each reject tells its sharpness, as the drift alarm does."""

    min_sharpness: float = Field(
        0.0,
        ge=0,
        description="less is cause `blur`: deviation of the Laplacian over the mean grey value, middle 256 px",
    )


class Drift(Section):
    """When pictures have changed so much since the run began that people are called. No limit is no alarm."""

    brightness: float | None = Field(0.2, gt=0, description="change of the mean grey value, as a share")
    focus: float | None = Field(0.3, gt=0, description="change of the sharpness, as a share")
    parts: int = Field(100, ge=5, description="parts whose middle is compared with that of the first ones")


class Rejecter(Section):
    """When the conveyor must act after the trigger: after a time, or once the belt has moved so many encoder counts."""

    transport: float | None = Field(None, alias="transport_ms", gt=0, description="gate to rejecter at full speed")
    delay_ms: float | None = Field(None, gt=0, description="trigger to blow; instead of transport_ms")
    reaction_ms: float = Field(20.0, ge=0, description="what the rejecter needs from decision to blow")
    encoder_counts: int | None = Field(
        None, gt=0, lt=1 << 31, description="gate to rejecter in counts of the gate's encoder; none tracks by time"
    )

    @model_validator(mode="after")
    def _one_time(self) -> "Rejecter":
        if (self.transport is None) == (self.delay_ms is None):
            raise ValueError("either transport_ms or delay_ms must be given, also beside encoder_counts: at full speed")
        return self

    @property
    def transport_ms(self) -> float:
        """Gate to rejecter at full speed."""
        return self.transport if self.transport is not None else (self.delay_ms or 0.0) + self.reaction_ms


class Line(Section):
    """Timing of the line."""

    deadline_ms: float = Field(100.0, gt=0, description="trigger to decision; later is REJECT(timeout)")
    min_gap_ms: float = Field(20.0, ge=0, description="two triggers closer than this are reported")
    max_capture_ms: float = Field(40.0, gt=0, description="trigger to exposure; later is REJECT(capture_jitter)")


class Endpoints(Section):
    """ZeroMQ endpoints to bind: ipc, or tcp, which needs the keys of `security` or the explicit word."""

    observers: str = Field("ipc://@runtime/observers.sock", description="XPUB; @runtime is the runtime folder")
    actuators: str = Field("ipc://@runtime/actuators.sock", description="ROUTER, acknowledged")
    plaintext: Literal["", "i accept that anyone on this network can read and forge decisions"] = Field(
        "", description="these words take keys and encryption off tcp"
    )


class Security(Section):
    """CURVE keys of the endpoints on tcp; `linewatch keys` makes them."""

    folder: Path = Field(
        Path("keys"), description="holds server.key, the line's secret, and allowed/NAME.pub for each client let in"
    )


class Storage(Section):
    """What is kept, and how much of it."""

    output: Path = Field(Path("runs"), description="folder of the run folders")
    budget_mb: float = Field(2048.0, gt=0, description="crops and frames of all runs together")
    floor_mb: float = Field(512.0, ge=0, description="free space that is never touched")
    crops: bool = Field(True, description="write crops of rejected parts")
    frames: Literal["none", "rejects", "all"] = Field("rejects", description="which whole frames are kept")
    audit_key: Path | None = Field(
        None,
        description="secret that keys the chain of the decision log: keys/audit.key, by `linewatch keys new audit`",
    )
    retention: Annotated[tuple[Keep, ...], AfterValidator(check_rules)] = Field(
        (), description="from the most to the least wanted: when room is short, the oldest pictures of the last rule go"
    )


class Alarms(Section):
    """When people are called: event `alarm` when it begins, `alarm_over` when it ends. No limit is no alarm."""

    consecutive_rejects: int | None = Field(5, ge=2, description="so many rejected parts in a row")
    reject_rate: float | None = Field(0.25, gt=0, le=1, description="more than this share of the last parts rejected")
    reject_rate_parts: int = Field(200, ge=10, description="how many parts `reject_rate` looks back")
    failsafe_rate: float | None = Field(0.001, gt=0, le=1, description="more than this share rejected in doubt")
    failsafe_rate_parts: int = Field(1000, ge=10, description="how many parts `failsafe_rate` looks back")
    unconfirmed_ejections: int | None = Field(
        1, ge=1, description="so many parts in a row were blown off, and no sensor saw them leave"
    )
    no_reject_hours: float | None = Field(8.0, gt=0, description="no reject for so long: is the camera blind?")


class Station(Section):
    """One inspection station."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$", description="prefix of every topic and record")
    recipe: str = Field("default", description="product on the line, repeated in every decision")
    gate: Gate
    light: Light = Light()
    camera: Camera
    detector: Detector
    calibration: Path | None = Field(None, description="calibration/<camera>/<date>; none is raw pixels")
    mm_per_px: float | None = Field(None, gt=0, description="scale when no calibration gives it")
    exposure: Exposure = Exposure()
    focus: Focus = Focus()
    drift: Drift = Drift()
    acceptance: tuple[Criterion, ...] = Field(
        min_length=1, description="in order: a detection belongs to the first criterion of its class that it meets"
    )
    line: Line = Line()
    rejecter: Rejecter
    endpoints: Endpoints = Endpoints()
    security: Security = Security()
    storage: Storage = Storage()
    alarms: Alarms = Alarms()
    shifts: Shifts = Shifts()
    dashboard: Dashboard = Dashboard()
    shadow: Shadow | None = Field(
        None, description="candidate model, as `detector`, that looks at passing parts and decides nothing"
    )

    @model_validator(mode="after")
    def _times_hold(self) -> "Station":
        found = list(contradictions(self))
        if found:
            raise ValueError("; ".join(found))
        return self

    @model_validator(mode="after")
    def _gate_counts(self) -> "Station":
        if self.rejecter.encoder_counts is not None and not isinstance(self.gate, FramedGate):
            raise ValueError(f"rejecter.encoder_counts needs a framed gate that says them, not {self.gate.kind!r}")
        return self

    @model_validator(mode="after")
    def _sizes_have_scale(self) -> "Station":
        if self.mm_per_px is None and self.calibration is None:
            for criterion in self.acceptance:
                if criterion.min_size_mm is not None:
                    raise ValueError(
                        f"acceptance class {criterion.label!r}: min_size_mm needs mm_per_px or calibration"
                    )
        return self

    @property
    def candidate(self) -> "Station | None":
        """This station as its shadow inspects it: another detector and, where it has its own, other criteria."""
        if self.shadow is None:
            return None
        acceptance = self.shadow.acceptance or self.acceptance
        return self.model_copy(update={"detector": self.shadow, "acceptance": acceptance})

    @property
    def eject_delay_ms(self) -> float:
        """Trigger to blow."""
        return self.rejecter.transport_ms - self.rejecter.reaction_ms


def load_station(path: Path) -> Station:
    """The station in the YAML file at `path`, its relative paths made absolute.

    Raises StationError that names file, key, value and reason of the first error and counts the rest.
    """
    return parse_station(read_yaml(path), path)


def read_yaml(path: Path) -> Any:
    """The YAML document at `path`. Raises StationError when it cannot be read or is no YAML."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise StationError(path, exc.strerror or "cannot be read") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise StationError(path, f"is not YAML: {exc}") from exc


def parse_station(document: Any, path: Path) -> Station:
    """The station in `document`, as read from `path` (for messages and relative paths)."""
    if not isinstance(document, dict):
        raise StationError(path, "must be a YAML mapping", type(document).__name__)
    try:
        station = Station.model_validate(document)
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        raise StationError(*told(path, errors[0], len(errors) - 1)) from exc
    return _absolute(station, site_folder(path))


def site_folder(path: Path) -> Path:
    """The folder that relative paths of the station file at `path` are taken from."""
    parent = path.resolve().parent
    return parent.parent if parent.name == "stations" else parent


def station_errors(document: Any, path: Path) -> list[StationError]:
    """Everything that is wrong with `document` as a station, in its order; empty when `parse_station` takes it."""
    if not isinstance(document, dict):
        return [StationError(path, "must be a YAML mapping", type(document).__name__)]
    try:
        Station.model_validate(document)
    except ValidationError as exc:
        return [StationError(*told(path, error)) for error in exc.errors(include_url=False)]
    return []


def told(path: Path, error: ErrorDetails, more: int = 0) -> tuple[str, str, object]:
    """Where, reason and value of one error in the file at `path`, to be raised as ours. more: how many are left."""
    loc = list(error["loc"])
    if len(loc) > 1 and loc[0] in ("gate", "camera", "detector", "shadow"):
        del loc[1]  # the kind, which is no key of the file
    where = f"{path}: {'.'.join(map(str, loc))}" if loc else str(path)
    reason = "unknown key" if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, ")
    shown = error["input"] if isinstance(error["input"], str | int | float | bool) else None
    return where, reason + (f" (and {more} more)" if more else ""), shown


def _absolute(station: Station, site: Path) -> Station:
    detector = station.detector.model_copy(update={"model": site / station.detector.model})
    key = station.storage.audit_key
    storage = station.storage.model_copy(
        update={"output": site / station.storage.output, "audit_key": None if key is None else site / key}
    )
    security = station.security.model_copy(update={"folder": site / station.security.folder})
    changes: dict[str, object] = {"detector": detector, "storage": storage, "security": security}
    if station.calibration is not None:
        changes["calibration"] = site / station.calibration
    if station.dashboard.key is not None:
        changes["dashboard"] = station.dashboard.model_copy(update={"key": site / station.dashboard.key})
    if station.shadow is not None:
        changes["shadow"] = station.shadow.model_copy(update={"model": site / station.shadow.model})
    if isinstance(station.camera, FolderCamera):
        changes["camera"] = station.camera.model_copy(update={"path": site / station.camera.path})
    return station.model_copy(update=changes)
