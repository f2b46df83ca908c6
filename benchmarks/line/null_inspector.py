"""The real inspector process around a detector that sees nothing: `null_inspector.py STATION WORK_MS`.

Ring, batching, exposure check, acceptance and channel are the product's; only the network is replaced by a pause.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from linewatch.core.child import Child, controller_channel, run, runtime_folder
from linewatch.core.clock import MonotonicClock
from linewatch.core.messages import Detection
from linewatch.core.station import load_station
from linewatch.inspection.drift import Drift
from linewatch.inspection.inspector import assemble
from linewatch.inspection.process import CHILD, InspectorProcess
from linewatch.pictures.frames import RingReader
from linewatch.pictures.types import Picture


class NullDetector:
    """Takes `work_ms` for every batch and finds no defect."""

    classes = ("defect",)
    name = "null"
    batch_sizes = (4,)

    def __init__(self, work_ms: float) -> None:
        self._work_s = work_ms / 1e3

    def warm_up(self) -> None:
        """Nothing to warm up."""

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        time.sleep(self._work_s)
        return [() for _ in pictures]


def serve(arguments: list[str]) -> None:
    """Be the inspector process until told to stop."""
    path, clock = Path(arguments[0]), MonotonicClock()
    station, detector = load_station(path), NullDetector(float(arguments[1]))
    inspector = assemble(station, detector, clock, path)
    child = Child(CHILD, controller_channel(), clock)
    InspectorProcess(child, RingReader(runtime_folder()), inspector, Drift(station.drift), clock).run("null")


if __name__ == "__main__":
    sys.exit(run(serve))
