"""Crops: the same after any restart, their boxes where the defects are."""

from pathlib import Path

import numpy as np
import pytest

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.config import Augmentation, load_config
from linewatch.training.crops import CropSource, Sample


def source(augmentation: Augmentation, seed: int = 0) -> CropSource:
    """One bad picture, a white rectangle of 12 x 8 px on black, and one good one, grey."""
    bad = np.zeros((96, 128), np.uint8)
    bad[40:48, 70:82] = 255
    good = np.full((96, 128), 90, np.uint8)
    pictures = (
        Picture(Path("bad.png"), 128, 96, "a", (Box(1, 70, 40, 12, 8),)),
        Picture(Path("good.png"), 128, 96, "b", ()),
    )
    return CropSource(Annotations(("x", "y"), pictures), [bad, good], augmentation, seed)


def samples(augmentation: Augmentation, count: int = 200) -> list[Sample]:
    return source(augmentation).batch(3, count)


def test_a_step_has_the_same_crops_after_a_restart() -> None:
    rules = Augmentation(crop_px=64, scale=(0.8, 1.2), contrast=0.2)
    for one, two in zip(source(rules).batch(7, 8), source(rules).batch(7, 8), strict=True):
        np.testing.assert_array_equal(one.pixels, two.pixels)
        np.testing.assert_array_equal(one.boxes, two.boxes)


def test_another_step_and_another_seed_have_other_crops() -> None:
    rules = Augmentation(crop_px=64)
    first = source(rules).batch(1, 8)
    for other in (source(rules).batch(2, 8), source(rules, seed=1).batch(1, 8)):
        assert any(not np.array_equal(a.pixels, b.pixels) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("scale", [(1.0, 1.0), (0.7, 1.4)])
def test_boxes_lie_on_their_defect_after_turning_and_scaling(scale: tuple[float, float]) -> None:
    found = [s for s in samples(Augmentation(crop_px=64, on_defect=1.0, on_good=0.0, scale=scale)) if len(s.boxes)]
    assert len(found) == 200
    for sample in found:
        ys, xs = np.nonzero(sample.pixels > 127)
        tight = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
        np.testing.assert_allclose(sample.boxes[0], tight, atol=1.5)
        assert sample.labels.tolist() == [1]


def test_shares_of_good_and_of_defects_are_kept() -> None:
    found = samples(Augmentation(crop_px=64, on_defect=0.5, on_good=0.3))
    good = sum(sample.name == "good.png" for sample in found) / len(found)
    assert 0.2 < good < 0.4
    assert sum(len(sample.boxes) > 0 for sample in found) >= 0.4 * len(found)


def test_all_eight_symmetries_occur() -> None:
    crops = samples(Augmentation(crop_px=64, on_defect=1.0, on_good=0.0))
    upright = {
        bool(sample.boxes[0, 3] - sample.boxes[0, 1] > sample.boxes[0, 2] - sample.boxes[0, 0]) for sample in crops
    }
    assert upright == {True, False}


def test_a_crop_larger_than_the_picture_is_filled_with_black() -> None:
    sample = samples(Augmentation(crop_px=160, on_defect=0.0, on_good=1.0, turn=False), 1)[0]
    assert sample.pixels.shape == (160, 160)
    assert set(np.unique(sample.pixels)) == {0, 90}


def test_black_and_white_pictures_stay_so_when_resized() -> None:
    for two_level in (True, False):
        rules = Augmentation(crop_px=64, on_good=0, on_defect=1, scale=(1.3, 1.4), two_level=two_level)
        grey = [sample for sample in samples(rules, 20) if not set(np.unique(sample.pixels)) <= {0, 255}]
        assert bool(grey) is not two_level


@pytest.mark.parametrize(("even", "low", "high"), [(0.0, 0.05, 0.16), (1.0, 0.4, 0.6)])
@pytest.mark.parametrize("on_good", [0.0, 1.0])
def test_a_small_group_is_seen_as_rarely_as_its_size_or_as_often_as_all(
    even: float, low: float, high: float, on_good: float
) -> None:
    boxes = () if on_good else (Box(0, 10, 10, 8, 8),)
    pictures = tuple(Picture(Path(f"{i}.png"), 96, 96, "few" if i == 0 else "many", boxes) for i in range(10))
    rules = Augmentation(crop_px=64, on_good=on_good, even_groups=even)
    parts = CropSource(Annotations(("x",), pictures), [np.zeros((96, 96), np.uint8)] * 10, rules, seed=0)
    few = sum(sample.name == "0.png" for sample in parts.batch(0, 300)) / 300
    assert low < few < high


def test_contrast_changes_the_light_and_not_the_boxes() -> None:
    plain, lit = (
        samples(Augmentation(crop_px=64, on_good=1.0, contrast=c, brightness=b), 20) for c, b in ((0, 0), (0.2, 20))
    )
    assert {int(s.pixels.max()) for s in plain} == {90}
    assert len({int(s.pixels.max()) for s in lit}) > 5


def test_lines_are_drawn_wider_and_narrower_by_whole_pixels() -> None:
    rules = Augmentation(crop_px=64, on_good=0, on_defect=1, turn=False, line_width_px=2)
    sides = set()
    for sample in samples(rules):
        if sample.boxes.min() < 2 or sample.boxes.max() > 62:
            continue  # at the edge of the crop there is no room to grow
        ys, xs = np.nonzero(sample.pixels)
        sides.add((int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1))
        assert sample.boxes[0, 2] - sample.boxes[0, 0] == 12  # the box stays what was marked
    assert sides == {(12 + 2 * grow, 8 + 2 * grow) for grow in range(-2, 3)}


@pytest.mark.parametrize(
    "option",
    ["paste: 0.5", "look_alikes: 0.5", "thin_out: 0.5", "designs: 0.5", "strokes: {mean: 0.5, black_alone: a}"],
)
def test_what_moves_pieces_of_parts_is_refused_on_grey_pictures(tmp_path: Path, option: str) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(
        "{model: m, classes: [a], product: p, licence: l, data: {sources: [{annotations: a.json}]}, "
        f"augmentation: {{{option}}}}}"
    )
    with pytest.raises(DatasetError, match="paste, look_alikes, thin_out, designs and strokes need two_level"):
        load_config(path)
