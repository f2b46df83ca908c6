"""An inspector process with a detector of a few lines: bright pixels are a defect, some grey values misbehave.

Run as `python bright_spot_inspector.py MILLISECONDS_PER_BATCH`, channel and runtime folder in the environment.
"""

import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from linewatch.core.child import Child, controller_channel, runtime_folder
from linewatch.core.clock import MonotonicClock
from linewatch.core.logs import set_up
from linewatch.core.messages import Detection
from linewatch.core.station import parse_station
from linewatch.inspection.drift import Drift
from linewatch.inspection.inspector import assemble
from linewatch.inspection.process import CHILD, InspectorProcess
from linewatch.pictures.frames import RingReader
from linewatch.pictures.types import Picture

SIDE_PX = 32
RAISES, GIVES_NAN, EXITS = 13, 17, 19  # grey values of the first pixel

STATION = {
    "name": "spots",
    "gate": {"kind": "framed", "port": "unused"},
    "camera": {"kind": "simulated", "width": SIDE_PX, "height": SIDE_PX},
    "detector": {"model": "unused"},
    "exposure": {"min_mean": 5},
    "drift": {"parts": 5},
    "acceptance": [{"class": "*", "min_score": 0.5}],
    "rejecter": {"transport_ms": 1000},
}


class BrightSpots:
    """Any pixel at 255 is a `spot` with score 0.9."""

    classes = ("spot",)
    name = "bright spots"
    batch_sizes = (2,)

    def __init__(self, batch_ms: float) -> None:
        self._batch_ms = batch_ms

    def warm_up(self) -> None:
        pass

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        time.sleep(self._batch_ms / 1000)
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Picture) -> tuple[Detection, ...]:
        first = int(picture[0, 0])
        if first == RAISES:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        if first == EXITS:
            os._exit(3)
        if first == GIVES_NAN:
            return (Detection("spot", math.nan, 0, 0, 1, 1),)
        if picture.max() < 255:
            return ()
        return (Detection("spot", 0.9, 1, 2, 3, 4),)


def main() -> None:
    set_up("inspector")
    station = parse_station(STATION, Path("spots.yaml"))
    detector = BrightSpots(float(sys.argv[1]))
    inspector = assemble(station, detector, MonotonicClock(), "spots.yaml")
    child = Child(CHILD, controller_channel())
    drift = Drift(station.drift)
    InspectorProcess(child, RingReader(runtime_folder()), inspector, drift, MonotonicClock()).run(detector.name)


if __name__ == "__main__":
    main()
