"""The line's processes around a detector of a few lines: `spots.py ROLE STATION MORE`.

line RUNTIME       the daemon; its inspector and its shadow are the two below, camera and recorder the product's
own-shadow RUNTIME the daemon with the shadow that the station file names
inspector          pixels of 255 are a spot
shadow MS          pixels of 200 and more are a spot, and MS milliseconds pass for each part; it has the usual
                   priority, so that the tests end on a machine that is never idle. MS may be `dies`, at its start,
                   or `eats`: memory, and gives none back
"""

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from linewatch.core.child import run
from linewatch.core.messages import Detection
from linewatch.core.station import load_station
from linewatch.line.run import run as run_line
from linewatch.line.supervisor import standard_children

if TYPE_CHECKING:  # the daemon loads no numpy
    from linewatch.pictures.types import Picture


class Spots:
    """The brightest pixel, if it is bright enough."""

    classes = ("spot",)
    batch_sizes = (1,)

    def __init__(self, least: int, part_ms: float = 0.0, eaten_bytes: int = 0) -> None:
        self.name = f"spots from {least}"
        self._least, self._part_ms, self._eaten_bytes = least, part_ms, eaten_bytes
        self._eaten: list[bytes] = []

    def warm_up(self) -> None: ...

    def detect(self, pictures: "Sequence[Picture]") -> list[tuple[Detection, ...]]:
        time.sleep(self._part_ms / 1000)
        self._eaten.append(b"\1" * self._eaten_bytes)
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: "Picture") -> tuple[Detection, ...]:
        if picture.max() < self._least:
            return ()
        y, x = divmod(int(picture.argmax()), picture.shape[1])
        return (Detection("spot", 0.9, float(x), float(y), 2.0, 2.0),)


def line(station: Path, runtime: Path, part_ms: str | None) -> int:
    """part_ms: of the shadow here; none runs the station's own."""
    commands: dict[str, tuple[str, ...]] = {"inspector": ("inspector", str(station))}
    if part_ms is not None:
        commands["shadow"] = ("shadow", str(station), part_ms)
    here = {name: (sys.executable, __file__, *words) for name, words in commands.items()}
    if part_ms == "dies":
        here["shadow"] = (sys.executable, "-S", "-c", "raise SystemExit(1)")
    children = [
        dataclasses.replace(child, command=here[child.name]) if child.name in here else child
        for child in standard_children(station, load_station(station))
    ]
    return run_line(station, runtime=runtime, children=children)


def main(role: str, station: Path, *more: str) -> int:
    if role == "inspector":
        from linewatch.faults.null_inspector import inspect_with

        return run(lambda _: inspect_with(Spots(255), station))
    if role == "shadow":
        from linewatch.shadow.process import serve_with

        spots = Spots(200, eaten_bytes=50_000_000) if more[0] == "eats" else Spots(200, float(more[0]))
        return run(lambda _: serve_with(station, spots))
    return line(station, Path(more[0]), None if role == "own-shadow" else more[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
