"""Look-alikes: round holes and islands of good parts, put elsewhere and never labelled."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.config import Augmentation
from linewatch.training.crops import CropSource
from linewatch.training.look_alikes import LookAlikes
from linewatch.training.squares import Boxes, Pixels

NO_BOXES = np.zeros((0, 4), np.float32)


def drilled() -> Pixels:
    """Copper (black) with a round hole of 21 px, bare ground (white) to the right of x = 100."""
    pixels = np.zeros((160, 200), np.uint8)
    cv2.circle(pixels, (50, 80), 10, 255, -1)
    pixels[:, 100:] = 255
    return pixels


def annotated(*boxes: Box) -> Annotations:
    """One picture, good without boxes."""
    return Annotations(("hole",), (Picture(Path("a.png"), 200, 160, "a", boxes),))


def changed(crop: Pixels, seed: int, count: int = 1, boxes: Boxes = NO_BOXES) -> Pixels:
    after = crop.copy()
    LookAlikes(annotated(), [drilled()]).paste(after, boxes, count, np.random.default_rng(seed))
    return np.where(after != crop, np.uint8(1), np.uint8(0))


def test_round_holes_and_islands_of_other_sizes_appear() -> None:
    crop = np.full((96, 96), 255, np.uint8)
    crop[:, :48] = 0
    sides, places = set(), set()
    for seed in range(40):
        count, _, figures, _ = cv2.connectedComponentsWithStats(changed(crop, seed), connectivity=8)
        assert count == 2
        x, _, w, h, area = figures[1]
        assert abs(w - h) <= 1
        assert 0.65 * w * h <= area < w * h  # round: the corners are missing
        assert x + w <= 48 or x >= 48  # in copper or in ground, never across the edge
        sides.add(int(w))
        places.add(x < 48)
    assert min(sides) < 10
    assert max(sides) > 20
    assert places == {True, False}


def test_none_lies_where_a_defect_is() -> None:
    there = np.array([[20, 20, 70, 70]], np.float32)
    for seed in range(20):
        mask = changed(np.zeros((96, 96), np.uint8), seed, 3, there)
        assert not mask[20:70, 20:70].any()


def test_a_picture_without_room_stays_as_it_is() -> None:
    stripes = np.zeros((64, 64), np.uint8)
    stripes[::2] = 255
    assert not changed(stripes, 0, 5).any()


def test_bad_parts_give_none_and_good_ones_without_holes_are_refused() -> None:
    for truth, pixels in (
        (annotated(Box(0, 40, 70, 21, 21)), drilled()),
        (annotated(), np.zeros((160, 200), np.uint8)),
    ):
        with pytest.raises(DatasetError, match="good pictures have no holes or islands"):
            LookAlikes(truth, [pixels])


def test_crops_of_good_parts_get_them_and_stay_good() -> None:
    rules = Augmentation(crop_px=64, on_good=1.0, two_level=True, turn=False, look_alikes=2.0)
    drawn = CropSource(annotated(), [drilled()], rules, 0).batch(0, 40)
    plain = CropSource(annotated(), [drilled()], rules.model_copy(update={"look_alikes": 0.0}), 0).batch(0, 40)
    assert all(not len(sample.boxes) for sample in drawn)
    assert sum(not np.array_equal(a.pixels, b.pixels) for a, b in zip(drawn, plain, strict=True)) > 20
