"""The saved pictures of one part, each with its boxes in its own pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from linewatch.core.messages import Detection
from linewatch.records.crops import window, worth_a_crop
from linewatch.records.decision_log import DecisionLine, LoggedDetection
from linewatch.training.picture_files import picture_size

Size = tuple[int, int]
_LEAST_SHOWN = 0.5  # share of a neighbour's box that a crop must show for it to be marked
_LEAST_SIDE_PX = 0.5  # what is left of a box beyond the edge


@dataclass(frozen=True)
class View:
    """file: relative to the run folder. corner: of a crop, in px of the inspected picture. boxes: px of this view."""

    file: str
    size: Size
    corner: tuple[int, int] | None
    boxes: tuple[LoggedDetection, ...]


def views(run: Path, line: DecisionLine, shown: Sequence[LoggedDetection], picture_px: Size | None) -> Iterator[View]:
    """The frame of the part, else its crops.

    shown: the detections that become boxes. picture_px: of inspected pictures; without it crops cannot be placed and
    are left out. Raises DatasetError or OSError when a picture cannot be read.
    """
    if line.frame is not None:
        size = picture_size(run / line.frame)
        yield View(line.frame, size, None, tuple(_placed(shown, 0, 0, size, 0.0)))
    elif picture_px is not None:
        for name in line.crops:
            yield from _crop(run, line, name, shown, picture_px)


def _crop(
    run: Path, line: DecisionLine, name: str, shown: Sequence[LoggedDetection], picture_px: Size
) -> Iterator[View]:
    """Nothing when the crop is not where `picture_px` would put it: then the size is another one."""
    whole = tuple(_placed(shown, 0, 0, picture_px, 0.0))
    number = int(name.rpartition("_")[2].removesuffix(".png"))
    cut_around = worth_a_crop([Detection(*msgspec.structs.astuple(one)) for one in line.detections])
    cut = window(cut_around[number - 1], *picture_px) if number <= len(cut_around) else None
    size = picture_size(run / name)
    if cut is not None and size == (cut[2] - cut[0], cut[3] - cut[1]):
        yield View(name, size, (cut[0], cut[1]), tuple(_placed(whole, cut[0], cut[1], size, _LEAST_SHOWN)))


def _placed(
    shown: Sequence[LoggedDetection], left: int, top: int, size: Size, least: float
) -> Iterator[LoggedDetection]:
    """`shown` in px of the view at (left, top), cut at its edges; without those of which hardly anything is left."""
    for one in shown:
        x0, y0 = max(one.x - left, 0.0), max(one.y - top, 0.0)
        x1, y1 = min(one.x + one.width - left, float(size[0])), min(one.y + one.height - top, float(size[1]))
        if min(x1 - x0, y1 - y0) >= _LEAST_SIDE_PX and (x1 - x0) * (y1 - y0) >= least * one.width * one.height:
            yield msgspec.structs.replace(one, x=x0, y=y0, width=x1 - x0, height=y1 - y0)
