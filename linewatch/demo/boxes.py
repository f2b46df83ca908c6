"""What the boxes did: each defect of the truth against the detections that counted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from linewatch.records.decision_log import DecisionLine

_SAME_PLACE = 0.3  # intersection over union; lower than in an evaluation, as thin defects have thin boxes


class Box(NamedTuple):
    """A defect: x, y upper left corner, width, height; px of the rectified picture."""

    label: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class BoxTally:
    """Defects of one class. found: with a box of that class. misnamed: with a box of another class only."""

    defects: int = 0
    found: int = 0
    misnamed: int = 0


def tally_boxes(parts: Iterable[tuple[Sequence[Box], Sequence[Box]]]) -> dict[str, BoxTally]:
    """parts: for each part its true defects and the detections that rejected it."""
    seen: dict[str, list[set[str]]] = {}
    for truth, detections in parts:
        for defect in truth:
            there = {found.label for found in detections if overlap(defect, found) >= _SAME_PLACE}
            seen.setdefault(defect.label, []).append(there)
    return {label: _tally(label, places) for label, places in sorted(seen.items())}


def _tally(label: str, places: list[set[str]]) -> BoxTally:
    found = sum(label in there for there in places)
    return BoxTally(len(places), found, sum(bool(there) for there in places) - found)


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 .. 1."""
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    common = max(width, 0.0) * max(height, 0.0)
    union = one.width * one.height + other.width * other.height - common
    return common / union if union > 0 else 0.0


def rejecting_boxes(line: DecisionLine) -> list[Box]:
    """The detections of a part that rejected it."""
    counted = [found for found in line.detections if found.effect == "reject"]
    return [Box(found.label, found.x, found.y, found.width, found.height) for found in counted]


def true_boxes(seed: int, defect_rate: float, size: int, seq: int) -> list[Box]:
    """The defects of part `seq`: bottle seq - 1 of the simulated camera's seed. size: px of the picture's side."""
    from linewatch.sim.render import truth_of
    from linewatch.sim.scene import describe

    scene = describe(seed, seq - 1, defect_rate)
    return [Box(true.name, true.x, true.y, true.w, true.h) for true in truth_of(scene, size)]
