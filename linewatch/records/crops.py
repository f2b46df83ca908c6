"""What is cut out of a rejected part's picture, and how its files are called."""

import re
from collections.abc import Sequence

import numpy as np

from linewatch.core.messages import Detection
from linewatch.pictures.types import Picture
from linewatch.records.decision_log import is_finite

CROPS = "crops"
FRAMES = "frames"
MOST_CROPS = 16  # of one part: a network gone wrong must not fill the disk
_MARGIN = 0.25  # of the box's longer side, on each side
_LEAST_MARGIN_PX = 12.0
_LEAST_SIDE_PX = 96.0


def worth_a_crop(detections: Sequence[Detection]) -> list[Detection]:
    """The detections that rejected or warned, highest score first, at most 16."""
    found = [one for one in detections if one.effect in ("reject", "warn") and is_finite(one)]
    return sorted(found, key=lambda one: -one.score)[:MOST_CROPS]


def crop(picture: Picture, detection: Detection) -> Picture | None:
    """The detection with a margin around it, at least 96 px wide and high where the picture has so much.

    picture: the rectified picture that was inspected. None when the box lies outside of it.
    """
    cut = window(detection, picture.shape[1], picture.shape[0])
    if cut is None:
        return None
    left, top, right, bottom = cut
    return np.ascontiguousarray(picture[top:bottom, left:right])


def window(detection: Detection, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of what `crop` cuts out of a picture of width x height px; none when outside."""
    longer = max(detection.width, detection.height)
    left, right = span(detection.x, detection.width, longer, width)
    top, bottom = span(detection.y, detection.height, longer, height)
    return None if left >= right or top >= bottom else (left, top, right, bottom)


def crop_file(seq: int, label: str, number: int) -> str:
    """seq_class_n.png under crops/; characters that a file name should not have become a dash."""
    return f"{CROPS}/{seq:08d}_{as_word(label)}_{number}.png"


def frame_file(seq: int, tag: str = "") -> str:
    """seq.png or seq_tag.png under frames/. tag: what retention goes by, as `retention.tag_of` says it."""
    return f"{FRAMES}/{seq:08d}{'_' if tag else ''}{tag}.png"


def as_word(text: str) -> str:
    """`text` as it stands in file names."""
    return re.sub(r"[^A-Za-z0-9-]+", "-", text) or "-"


def seq_of(name: str) -> int | None:
    """The part that a picture of ours belongs to, by its file name; none for any other file."""
    found = re.fullmatch(r"(\d{8,})(?:_[A-Za-z0-9-]+){0,2}\.png", name)
    return int(found[1]) if found else None


def span(start: float, extent: float, longer: float, limit: int) -> tuple[int, int]:
    """From and to, in px, along one side of `limit` px; empty when the box lies outside."""
    if start >= limit or start + extent <= 0:
        return 0, 0
    side = max(extent + 2 * max(_MARGIN * longer, _LEAST_MARGIN_PX), min(_LEAST_SIDE_PX, limit))
    first = start + extent / 2 - side / 2
    if side <= limit:  # moved rather than cut at the edge: a crop keeps its size
        first = min(max(first, 0.0), limit - side)
    return max(0, int(first)), min(limit, int(np.ceil(first + side)))
