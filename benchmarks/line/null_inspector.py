"""The fault suite's inspector without a network, made slow: `null_inspector.py STATION WORK_MS`.

Ring, batching, exposure check, acceptance and channel are the product's; only the network is replaced by a pause.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from linewatch.core.child import run
from linewatch.core.messages import Detection
from linewatch.core.station import load_station
from linewatch.faults.null_inspector import NullDetector, inspect_with
from linewatch.pictures.types import Picture


class PausingDetector(NullDetector):
    """Takes `work_ms` for every batch and finds no defect."""

    batch_sizes: tuple[int, ...] = (4,)
    work_ms = 0.0

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        time.sleep(self.work_ms / 1e3)
        return super().detect(pictures)


def serve(arguments: list[str]) -> None:
    """Be the inspector process until told to stop."""
    path = Path(arguments[0])
    detector = PausingDetector(load_station(path))
    detector.work_ms = float(arguments[1])
    inspect_with(detector, path)


if __name__ == "__main__":
    sys.exit(run(serve))
