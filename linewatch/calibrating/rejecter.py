"""When a part is at the rejecter: entered, from a distance and the speed, or from the sensor behind the rejecter."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from linewatch.core.errors import CalibrationError, UsageError
from linewatch.core.jsonlines import read_lines

_LEAST_PARTS = 5
_MOST_SPREAD_MS = 25.0  # median deviation of the sensor's times


@dataclass(frozen=True)
class Way:
    """What is known about the way from gate to rejecter. Exactly one of the first three, or none.

    transport_ms: as measured. distance_mm: gate to rejecter. log: of `linewatch actuator --confirm-ms`, JSON lines.
    sensor_mm: how far behind the rejecter its sensor is.
    """

    transport_ms: float | None = None
    distance_mm: float | None = None
    log: Path | None = None
    sensor_mm: float = 0.0

    def __post_init__(self) -> None:
        """Raises UsageError when more than one is given, or one cannot be."""
        given = [value for value in (self.transport_ms, self.distance_mm, self.log) if value is not None]
        if len(given) > 1:
            raise UsageError("--transport-ms, --rejecter-mm, --rejecter-log", "say the same: give one of them")
        for name, value in (("--transport-ms", self.transport_ms), ("--rejecter-mm", self.distance_mm)):
            if value is not None and not 0 < value < 1e6:
                raise UsageError(name, "must be above 0", value)


class _Line(msgspec.Struct):
    act: str
    after_trigger_ms: float | None = None


def transport(way: Way, speed_mm_per_ms: float) -> tuple[float, Literal["entered", "distance", "sensor"]] | None:
    """ms from gate to rejecter and how that is known; none when nothing is. Raises CalibrationError, StorageError."""
    if way.transport_ms is not None:
        return way.transport_ms, "entered"
    if way.distance_mm is not None:
        return way.distance_mm / speed_mm_per_ms, "distance"
    if way.log is not None:
        found_ms = _sensed_ms(way.log) - way.sensor_mm / speed_mm_per_ms
        if found_ms <= 0:
            raise CalibrationError("--sensor-mm", "is more than the whole way to the sensor", way.sensor_mm)
        return found_ms, "sensor"
    return None


def _sensed_ms(log: Path) -> float:
    """Median time from trigger to sensor, of all parts that were confirmed."""
    found = []
    for number, line in read_lines(log):
        try:
            read = msgspec.json.decode(line, type=_Line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise CalibrationError(f"{log}: line {number}", f"is no line of a rejecter's log: {exc}") from exc
        if read.act == "confirmed" and read.after_trigger_ms is not None:
            found.append(read.after_trigger_ms)
    if len(found) < _LEAST_PARTS:
        reason = (
            f"parts were seen to leave, {_LEAST_PARTS} are needed: run `linewatch actuator` with --confirm-ms and --log"
        )
        raise CalibrationError(log, reason, len(found))
    middle = float(np.median(found))
    spread = float(np.median(np.abs(np.array(found) - middle)))
    if spread > _MOST_SPREAD_MS:
        reason = f"the sensor's times differ by {spread:.0f} ms: reject parts one at a time, at full speed"
        raise CalibrationError(log, reason)
    return middle
