"""`python -m linewatch.faults.null_inspector STATION.yaml`: the inspector process around a detector without a network.

It finds nothing, and takes the working memory that a small network would, so that running out of it is real.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from linewatch.core.child import Child, controller_channel, run, runtime_folder
from linewatch.core.clock import MonotonicClock
from linewatch.core.logs import set_up
from linewatch.core.messages import Detection
from linewatch.core.station import Station, load_station
from linewatch.inspection.acceptance import ANY_CLASS
from linewatch.inspection.detector import Detector
from linewatch.inspection.drift import Drift
from linewatch.inspection.inspector import assemble
from linewatch.inspection.process import CHILD, InspectorProcess
from linewatch.pictures.frames import RingReader
from linewatch.pictures.types import Picture

_WORKING_BYTES = 64 << 20  # more than malloc keeps for later: each time the kernel is asked


class NullDetector:
    """Every part is good. classes: what the station's criteria name."""

    name = "null detector"
    batch_sizes: tuple[int, ...] = (1,)

    def __init__(self, station: Station) -> None:
        named = tuple(criterion.label for criterion in station.acceptance if criterion.label != ANY_CLASS)
        self.classes = tuple(dict.fromkeys(named)) or ("defect",)

    def warm_up(self) -> None:
        """Nothing is there to warm."""

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        """No detections. Raises MemoryError when there is no working memory."""
        np.empty(_WORKING_BYTES, np.uint8)
        return [() for _ in pictures]


def serve(arguments: list[str]) -> None:
    """Be the inspector process until told to stop. Raises what keeps it from starting."""
    path = Path(arguments[0])
    inspect_with(NullDetector(load_station(path)), path)


def inspect_with(detector: Detector, path: Path) -> None:
    """The product's inspector process, of the station file at `path`, around `detector`."""
    set_up(CHILD)
    station, clock = load_station(path), MonotonicClock()
    child, frames = Child(CHILD, controller_channel(), clock), RingReader(runtime_folder())
    inspector = assemble(station, detector, clock, path)
    InspectorProcess(child, frames, inspector, Drift(station.drift), clock).run(detector.name)


if __name__ == "__main__":
    sys.exit(run(serve))
