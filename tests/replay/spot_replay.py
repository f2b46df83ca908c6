"""A replay with a detector of a few lines, for tests: a pixel at 255 is a spot, a first pixel at 13 breaks the network.

Run as `python spot_replay.py FOLDER STATION OUTPUT MILLISECONDS_PER_PART [PACE]`; its exit code is the summary's.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from linewatch.core.messages import Detection
from linewatch.pictures.types import Picture
from linewatch.replay.playback import Pace
from linewatch.replay.progress import progress_on
from linewatch.replay.run import replay


class Spots:
    classes = ("spot",)
    name = "spots 1"

    def __init__(self, largest: int = 1, part_ms: float = 0.0) -> None:
        self.batch_sizes = (largest,)
        self._part_ms = part_ms

    def warm_up(self) -> None:
        pass

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        time.sleep(self._part_ms / 1000 * len(pictures))
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Picture) -> tuple[Detection, ...]:
        if picture[0, 0] == 13:
            raise RuntimeError("broken")
        if picture.max() < 255:
            return ()
        y, x = divmod(int(picture.argmax()), picture.shape[1])
        return (Detection("spot", 0.9, float(x), float(y), 2, 2),)


def main() -> int:
    folder, station, output = map(Path, sys.argv[1:4])
    pace: Pace = "recorded" if sys.argv[5:] == ["recorded"] else "fast"
    detector = Spots(part_ms=float(sys.argv[4]))
    with progress_on() as progress:
        return replay(folder, station, output=output, pace=pace, progress=progress, detector=detector).exit_code


if __name__ == "__main__":
    sys.exit(main())
