"""Designs: clean pads joined by lines, drawn into bare ground and never labelled."""

from pathlib import Path

import cv2
import numpy as np

from linewatch.training.annotations import Annotations, Picture
from linewatch.training.config import Augmentation
from linewatch.training.crops import CropSource
from linewatch.training.designs import draw_designs
from linewatch.training.squares import Boxes, Pixels

NO_BOXES = np.zeros((0, 4), np.float32)


def halves() -> Pixels:
    """Black on the left, white on the right."""
    pixels = np.zeros((256, 256), np.uint8)
    pixels[:, 128:] = 255
    return pixels


def changed(seed: int, count: int = 1, boxes: Boxes = NO_BOXES) -> Pixels:
    pixels = halves()
    draw_designs(pixels, boxes, count, np.random.default_rng(seed))
    return np.where(pixels != halves(), np.uint8(1), np.uint8(0))


def test_each_is_one_piece_in_bare_ground_of_either_level_and_of_many_sizes() -> None:
    sides, places, open_ones = [], set(), 0
    for seed in range(60):
        count, _, figures, _ = cv2.connectedComponentsWithStats(changed(seed), connectivity=8)
        assert count == 2
        x, _, w, h, area = figures[1]
        assert x + w <= 128 or x >= 128  # in black or in white, never across the edge
        open_ones += bool(area < 0.6 * w * h or min(w, h) < 10)  # a thing of parts, or a line alone
        sides.append(max(w, h))
        places.add(x < 128)
    assert min(sides) < 50 < 90 < max(sides)
    assert open_ones > 40  # pads of a short one may run into each other
    assert places == {True, False}


def test_none_lies_where_a_defect_is_and_a_full_picture_stays_as_it_is() -> None:
    there = np.array([[0, 100, 256, 200]], np.float32)
    stripes = np.zeros((96, 96), np.uint8)
    stripes[::2] = 255
    for seed in range(30):
        assert not changed(seed, 3, there)[100:200].any()
        full = stripes.copy()
        draw_designs(full, NO_BOXES, 3, np.random.default_rng(seed))
        assert np.array_equal(full, stripes)


def test_crops_of_good_parts_get_them_and_stay_good() -> None:
    truth = Annotations(("short",), (Picture(Path("a.png"), 256, 256, "a", ()),))
    rules = Augmentation(crop_px=224, on_good=1.0, turn=False, two_level=True, designs=1.5)
    drawn = CropSource(truth, [halves()], rules, 0).batch(0, 30)
    plain = CropSource(truth, [halves()], rules.model_copy(update={"designs": 0.0}), 0).batch(0, 30)
    assert all(not len(sample.boxes) for sample in drawn)
    assert sum(not np.array_equal(a.pixels, b.pixels) for a, b in zip(drawn, plain, strict=True)) > 15
