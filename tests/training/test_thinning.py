"""Thinning: pieces without a defect go, whole; what a defect touches stays."""

from pathlib import Path

import numpy as np

from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.config import Augmentation
from linewatch.training.crops import CropSource
from linewatch.training.squares import Boxes, Pixels
from linewatch.training.thinning import thin_out

BARS = 8
TOUCHED = 3
DEFECT = np.array([[20, 28, 26, 33]], np.float32)  # across bar 3 and the ground beside it


def bars() -> Pixels:
    """Eight black bars, 4 px wide, 4 px apart, in white ground."""
    pixels = np.full((64, 64), 255, np.uint8)
    for bar in range(BARS):
        pixels[8 * bar + 4 : 8 * bar + 8, 6:58] = 0
    return pixels


def thinned(seed: int, boxes: Boxes) -> Pixels:
    pixels = bars()
    thin_out(pixels, boxes, np.random.default_rng(seed))
    return pixels


def left(pixels: Pixels) -> list[bool]:
    """Which bars are there; each is there as a whole or not at all."""
    shown = []
    for bar in range(BARS):
        levels = set(pixels[8 * bar + 4 : 8 * bar + 8, 6:58].ravel().tolist())
        assert len(levels) == 1
        shown.append(levels == {0})
    return shown


def test_whole_pieces_go_from_none_to_all() -> None:
    none = np.zeros((0, 4), np.float32)
    drawn = [thinned(seed, none) for seed in range(60)]
    counts = {sum(left(pixels)) for pixels in drawn if pixels.max() > 0}
    assert {0, BARS} <= counts
    assert len(counts) > 5
    assert any(not pixels.any() for pixels in drawn)  # the white ground is a piece as well


def test_what_a_defect_touches_stays() -> None:
    for seed in range(60):
        pixels = thinned(seed, DEFECT)
        assert left(pixels)[TOUCHED]
        assert (pixels[:, :6] == 255).all()  # the ground too: the defect lies in it


def test_crops_keep_their_labels_and_are_the_same_after_a_restart() -> None:
    truth = Annotations(("short",), (Picture(Path("a.png"), 64, 64, "a", (Box(0, 20, 28, 6, 5),)),))
    rules = Augmentation(crop_px=64, on_defect=1.0, on_good=0.0, turn=False, two_level=True, thin_out=0.5)

    def batch() -> list[Pixels]:
        samples = CropSource(truth, [bars()], rules, 0).batch(0, 40)
        assert all(len(sample.boxes) == 1 for sample in samples)
        return [sample.pixels for sample in samples]

    one, two = batch(), batch()
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert 8 < sum(np.array_equal(pixels, bars()) for pixels in one) < 38
