"""Designs of our own: pads joined by thin lines, and lines alone, in bare ground, as another part may have by intent.

Not labelled: they teach that a straight clean line between two pads is no short. Ours.
"""

from itertools import pairwise

import cv2
import numpy as np

from linewatch.training.pasting import REACH_PX, TRIES, Patch, place
from linewatch.training.squares import Boxes, Pixels

_SPAN_PX = (30.0, 110.0)  # from the first pad to the last
_PAD_PX = (5, 20)  # half a pad's side
_LINE_PX = (2, 8)
_WITHOUT_PADS = 0.25  # share of designs that are lines alone
_ROUND = 0.6  # share whose pads are round; the others are square


def draw_designs(pixels: Pixels, boxes: Boxes, count: int, rng: np.random.Generator) -> None:
    """Put up to `count` into `pixels` (S, S), 0 or 255, in place, none where `boxes` (n, 4) are."""
    for _ in range(count):
        level = 255 * int(rng.integers(2))
        for _ in range(TRIES):
            if (box := place(pixels, boxes, _design(level, rng), rng)) is not None:
                boxes = np.concatenate([boxes, box])
                break


def _design(level: int, rng: np.random.Generator) -> Patch:
    """Two to four points, joined; `level` on the other level."""
    span = float(rng.uniform(*_SPAN_PX))
    half, line = int(rng.integers(*_PAD_PX)), int(rng.integers(*_LINE_PX))
    points = _points(span, int(rng.integers(2, 5)), rng)
    if rng.random() < _WITHOUT_PADS:
        half = 0
    margin = REACH_PX + half + line
    side = int(np.ceil(points.max())) + 2 * margin
    canvas = np.zeros((side, side), np.uint8)
    corners = [(int(x) + margin, int(y) + margin) for x, y in points]
    for first, second in pairwise(corners):
        cv2.line(canvas, first, second, 255, line)
    round_pads, all_pads = rng.random() < _ROUND, rng.random() < 0.3
    for x, y in (corners if all_pads else (corners[0], corners[-1])) if half else ():
        if round_pads:
            cv2.circle(canvas, (x, y), half, 255, -1)
        else:
            cv2.rectangle(canvas, (x - half, y - half), (x + half, y + half), 255, -1)
    x, y, w, h = cv2.boundingRect(canvas)
    ground = np.full_like(canvas, 255 - level)
    return Patch(ground, ground ^ canvas, canvas, np.array([[x, y, x + w, y + h]], np.float32))


def _points(span: float, count: int, rng: np.random.Generator) -> Boxes:
    """x, y (count, 2) from 0: steps along the eight directions of a board, or two at any angle."""
    if count == 2 and rng.random() < 0.3:
        turns = rng.uniform(0, 2 * np.pi, 1)
    else:
        turns = np.cumsum(rng.choice([-1, 1], count - 1) * rng.integers(1, 3, count - 1)) * np.pi / 4
    lengths = span * rng.uniform(0.4, 1.0, len(turns))
    steps = np.stack([np.cos(turns), np.sin(turns)], 1) * lengths[:, None]
    points = np.concatenate([np.zeros((1, 2)), np.cumsum(steps, 0)])
    placed: Boxes = (points - points.min(0)).astype(np.float32)
    return placed
