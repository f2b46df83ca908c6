"""Hand-drawn strokes as defects: what a stroke touches says what it is.

In black and white parts a ragged stroke of one level that joins two pieces of its level is a short or an open, one
that sticks out of a piece is a spur or a mouse bite, one that touches none is spare copper or a pin-hole. Drawn where
a crop has room for it, at any size, so that no class is known in the sizes and places of the learnt parts alone. Ours.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from linewatch.training.config import Strokes
from linewatch.training.pasting import LEAST_AREA, TRIES
from linewatch.training.squares import Boxes, Labels, Pixels

_REACH_PX = 56  # a stroke is across when both ends meet a piece of its level within this much
_ANGLES = 16  # directions in which the nearest pieces are looked for
_CLEAR_PX = 4  # ground around a stroke, where it is to touch nothing
_ALONE_PX = (5.0, 95.0)  # length of a stroke that touches nothing, drawn evenly by its logarithm
_ATTACHED_PX = (4.0, 24.0)  # how far a stroke sticks out of a piece
_WIDTH_PX = (2.0, 11.0)
_GRAINY = 0.3  # share of strokes that are grainy, as a threshold leaves a faint one

Points = npt.NDArray[np.float64]  # (n, 2) x, y in px
Mask = npt.NDArray[np.bool_]  # (S, S)
Room = npt.NDArray[np.float32]  # (S, S) px from each pixel of the ground to what is not ground
_Line = Callable[[Room, np.random.Generator], Points | None]


class StrokePainter:
    """Draws the kinds of strokes that `rules` give a class, one kind as often as another."""

    def __init__(self, rules: Strokes, classes: Sequence[str]) -> None:
        """classes: names in the order of their labels; `rules` names no other (`TrainConfig` sees to it)."""
        kinds: tuple[tuple[_Line, str | None, str | None], ...] = (
            (_alone, rules.black_alone, rules.white_alone),
            (_attached, rules.black_attached, rules.white_attached),
            (_across, rules.black_across, rules.white_across),
        )
        self._kinds = [
            (line, level, classes.index(name))
            for line, black, white in kinds
            for level, name in ((0, black), (255, white))
            if name is not None
        ]
        self._mean, self._margin = rules.mean, rules.margin_px

    def draw(self, pixels: Pixels, boxes: Boxes, labels: Labels, rng: np.random.Generator) -> tuple[Boxes, Labels]:
        """Draw strokes into `pixels` (S, S), 0 or 255, in place, beside what `boxes` (n, 4) and `labels` (n,) name.

        Returns both with the new ones; a stroke that finds no place in a few tries is left out.
        """
        for _ in range(int(rng.poisson(self._mean))):
            line, level, label = self._kinds[int(rng.integers(len(self._kinds)))]
            for _ in range(TRIES):
                box = self._stroke(line, level, pixels, boxes, rng)
                if box is not None:
                    boxes, labels = np.concatenate([boxes, box]), np.append(labels, np.int64(label))
                    break
        return boxes, labels

    def _stroke(self, line: _Line, level: int, pixels: Pixels, boxes: Boxes, rng: np.random.Generator) -> Boxes | None:
        """Draw one stroke; its box (1, 4), or None and nothing drawn: no room, or something else lies there."""
        ground = pixels != level
        room = cv2.distanceTransform(ground.astype(np.uint8), cv2.DIST_L2, 3).astype(np.float32, copy=False)
        points = line(room, rng)
        if points is None:
            return None
        shape = _painted(points, len(pixels), rng) & ground
        if line is not _across and not _as_meant(shape, ~ground, touching=line is _attached):
            return None
        box = _box_of(shape, self._margin)
        if box is None or _overlap(box, boxes):
            return None
        pixels[shape] = level
        return box


def _alone(room: Room, rng: np.random.Generator) -> Points | None:
    """A bent line from anywhere in the ground, up to _ALONE_PX long."""
    start = _drawn(room > _CLEAR_PX + 2, rng)
    if start is None:
        return None
    length = float(np.exp(rng.uniform(*np.log(_ALONE_PX))))
    return _bent(start, float(rng.uniform(0, 2 * np.pi)), length, rng)


def _attached(room: Room, rng: np.random.Generator) -> Points | None:
    """A short line from an edge into the ground."""
    start = _drawn((room > 0) & (room <= 1), rng)
    if start is None:
        return None
    towards = _steepest(room, start)
    angle = towards + float(rng.normal(0, 0.4))
    return _bent(start, angle, float(rng.uniform(*_ATTACHED_PX)), rng)


def _across(room: Room, rng: np.random.Generator) -> Points | None:
    """A line between two pieces that lie opposite each other, the narrow way, give or take."""
    middle = _drawn((room >= 2) & (room < _REACH_PX / 2), rng)
    if middle is None:
        return None
    angles = np.arange(_ANGLES) * np.pi / _ANGLES
    rays = [(_met(room, middle, angle), _met(room, middle, angle + np.pi), angle) for angle in angles]
    met = [(one + other, one, other, angle) for one, other, angle in rays if one and other]
    if not met or min(met)[0] > _REACH_PX:
        return None
    near = [ray for ray in met if ray[0] <= min(1.3 * min(met)[0], _REACH_PX)]
    _, one, other, angle = near[int(rng.integers(len(near)))]
    way = np.array([np.cos(angle), np.sin(angle)])
    points = np.linspace(middle - way * (other + 2), middle + way * (one + 2), 4)
    points[1:3] += rng.normal(0, 0.06 * (one + other), (2, 2))
    return points


def _drawn(where: Mask, rng: np.random.Generator) -> Points | None:
    """One x, y of those that hold."""
    rows, columns = np.nonzero(where)
    if not len(rows):
        return None
    which = int(rng.integers(len(rows)))
    return np.array([columns[which], rows[which]], float)


def _bent(start: Points, angle: float, length: float, rng: np.random.Generator) -> Points:
    """Points (n, 2) of a line that bends on its way, as a hand draws one."""
    steps = max(2, round(length / 7))
    turns = rng.normal(0, 0.12) + rng.normal(0, 0.22, steps)
    angles = angle + np.cumsum(turns)
    way = np.stack([np.cos(angles), np.sin(angles)], 1) * length / steps
    return np.concatenate([start[None], start + np.cumsum(way, 0)])


def _steepest(room: Room, at: Points) -> float:
    """The direction in rad, of eight, in which there is most room 4 px away."""
    angles = np.arange(8) * np.pi / 4
    ends = np.round(at + 4 * np.stack([np.cos(angles), np.sin(angles)], 1)).astype(int).clip(0, len(room) - 1)
    return float(angles[int(np.argmax(room[ends[:, 1], ends[:, 0]]))])


def _met(room: Room, start: Points, angle: float) -> int:
    """How many px from `start` the ground ends in that direction; 0: not within reach, or only at the crop's edge."""
    lengths = np.arange(1, _REACH_PX)
    ray = np.round(start + lengths[:, None] * np.array([np.cos(angle), np.sin(angle)])).astype(int)
    inside = ((ray >= 0) & (ray < len(room))).all(1)
    ray = ray[inside]
    ends = np.nonzero(room[ray[:, 1], ray[:, 0]] == 0)[0]
    return int(lengths[ends[0]]) if len(ends) else 0


def _painted(points: Points, side: int, rng: np.random.Generator) -> Mask:
    """The line, a few px wide and uneven, as a mask (side, side)."""
    canvas = np.zeros((side, side), np.uint8)
    width = float(rng.uniform(*_WIDTH_PX))
    for first, second in pairwise(points):
        thick = max(1, round(width * float(rng.uniform(0.7, 1.3))))
        ends = np.round([first, second]).astype(int).tolist()
        cv2.line(canvas, ends[0], ends[1], 255, thick)
    if rng.random() < _GRAINY:
        grain = cv2.GaussianBlur(rng.random((side, side), np.float32), (3, 3), 0)
        return (canvas > 0) & (grain > 0.45)
    frayed = cv2.GaussianBlur(canvas, (3, 3), 0) + rng.integers(-60, 60, canvas.shape)
    return np.asarray(frayed > 127)


def _as_meant(shape: Mask, pieces: Mask, touching: bool) -> bool:
    """Whether the stroke touches no piece (with _CLEAR_PX to spare), or just where it starts."""
    near = cv2.dilate(pieces.astype(np.uint8), np.ones((2 * _CLEAR_PX + 1,) * 2, np.uint8)) > 0
    if not touching:
        return not np.any(shape & near)
    free = int(np.count_nonzero(shape & ~near))
    ends = cv2.connectedComponents((shape & near).astype(np.uint8), connectivity=8)[0] - 1
    return free >= 2 and int(ends) == 1


def _box_of(shape: Mask, margin: int) -> Boxes | None:
    """x1, y1, x2, y2 (1, 4) of the stroke with its margin, inside the crop; None: too little of it."""
    rows, columns = np.nonzero(shape)
    if len(rows) < LEAST_AREA:
        return None
    corners = [columns.min() - margin, rows.min() - margin, columns.max() + 1 + margin, rows.max() + 1 + margin]
    return np.array([corners], np.float32).clip(0, len(shape))


def _overlap(box: Boxes, boxes: Boxes) -> bool:
    low, high = np.maximum(box[:, :2], boxes[:, :2]), np.minimum(box[:, 2:], boxes[:, 2:])
    return bool((low < high).all(1).any())
