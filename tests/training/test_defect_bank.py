"""Copy-paste of defects: put where they fit, boxed where they are, nowhere else."""

from pathlib import Path

import numpy as np
import pytest

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.config import Augmentation, load_config
from linewatch.training.crops import CropSource
from linewatch.training.defect_bank import DefectBank
from linewatch.training.squares import Boxes, Labels, Pixels

CLASSES = ("hole", "island")
NAME = "{stem}_good.png"
NO_BOXES, NO_LABELS = np.zeros((0, 4), np.float32), np.zeros(0, np.int64)


def part(width: int = 128, height: int = 96) -> Pixels:
    """Copper (black) to the left of x = 60, bare ground (white) to the right."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[:, :60] = 0
    return pixels


def annotated(*boxes: Box) -> Annotations:
    return Annotations(
        CLASSES,
        (Picture(Path("a.png"), 128, 96, "a", boxes), Picture(Path("a_good.png"), 128, 96, "a", ())),
    )


def bank() -> DefectBank:
    """A hole of 6 x 4 px in copper, in a box of 16 x 14."""
    bad = part()
    bad[40:44, 30:36] = 255
    return DefectBank.cut_out(annotated(Box(0, 25, 35, 16, 14)), [bad, part()], NAME)


def pasted(crop: Pixels, count: int, seed: int = 0, boxes: Boxes = NO_BOXES) -> tuple[Pixels, Boxes, Labels]:
    after = crop.copy()
    labels = np.ones(len(boxes), np.int64)
    found, named = bank().paste(after, boxes, labels, count, np.random.default_rng(seed))
    return after, found, named


def test_a_hole_goes_into_other_copper_and_its_box_holds_it() -> None:
    crop = np.full((96, 96), 255, np.uint8)
    crop[20:70, 30:90] = 0
    for seed in range(20):
        after, boxes, labels = pasted(crop, 1, seed)
        assert labels.tolist() == [0]
        ys, xs = np.nonzero(after != crop)
        assert sorted([int(np.ptp(xs)) + 1, int(np.ptp(ys)) + 1]) == [4, 6]
        assert xs.min() >= 30
        assert xs.max() < 90
        assert ys.min() >= 20
        assert ys.max() < 70
        x1, y1, x2, y2 = boxes[0]
        assert sorted([x2 - x1, y2 - y1]) == [14, 16]
        assert x1 <= xs.min()
        assert xs.max() < x2
        assert y1 <= ys.min()
        assert ys.max() < y2


def test_where_nothing_looks_alike_nothing_is_pasted() -> None:
    bare = np.full((96, 96), 255, np.uint8)
    after, boxes, labels = pasted(bare, 5)
    assert np.array_equal(after, bare)
    assert len(boxes) == len(labels) == 0


def test_boxes_never_overlap_those_that_are_there() -> None:
    copper = np.zeros((96, 96), np.uint8)
    there = np.array([[10, 10, 50, 60]], np.float32)
    for seed in range(10):
        after, boxes, labels = pasted(copper, 4, seed, there)
        assert len(boxes) == len(labels) > 1
        assert not after[10:60, 10:50].any()
        for i, one in enumerate(boxes):
            for two in boxes[i + 1 :]:
                assert one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]


def test_a_defect_larger_than_the_crop_is_left_out() -> None:
    after, boxes, _ = pasted(np.zeros((16, 16), np.uint8), 3)
    assert not after.any()
    assert not len(boxes)


def test_frayed_edges_inside_the_box_are_no_part_of_the_defect() -> None:
    bad = part()
    bad[40:44, 50:56] = 255
    bad[46, 60] = 0  # the edge of the copper is rougher by one pixel
    frayed = DefectBank.cut_out(annotated(Box(0, 46, 35, 16, 14)), [bad, part()], NAME)
    after = part()
    boxes, _ = frayed.paste(after, NO_BOXES, NO_LABELS, 1, np.random.default_rng(1))
    assert len(boxes) == 1
    assert np.count_nonzero(after != part()) == 24


def test_a_missing_template_names_the_picture() -> None:
    with pytest.raises(DatasetError, match=r"a\.png: .a_clean\.png.: its template is not among"):
        DefectBank.cut_out(annotated(Box(0, 25, 35, 16, 14)), [part(), part()], "{stem}_clean.png")


def test_a_template_of_another_size_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"a\.png.*another size"):
        DefectBank.cut_out(annotated(Box(0, 25, 35, 16, 14)), [part(), part(100, 96)], NAME)


def test_parts_without_any_difference_are_refused() -> None:
    with pytest.raises(DatasetError, match="no bad picture differs from its template"):
        DefectBank.cut_out(annotated(Box(0, 25, 35, 16, 14)), [part(), part()], NAME)


def test_crops_of_good_parts_stay_good_and_a_step_is_the_same_after_a_restart() -> None:
    bad = part()
    bad[40:44, 30:36] = 255
    truth, pixels = annotated(Box(0, 25, 35, 16, 14)), [bad, part()]
    rules = Augmentation(crop_px=64, on_defect=0.5, on_good=0.5, two_level=True, paste=2.0)

    def source() -> CropSource:
        return CropSource(truth, pixels, rules, 0, NAME)

    drawn = source().batch(3, 60)
    assert all(not len(sample.boxes) for sample in drawn if sample.name == "a_good.png")
    assert max(len(sample.boxes) for sample in drawn if sample.name == "a.png") > 1
    for one, two in zip(drawn, source().batch(3, 60), strict=True):
        assert np.array_equal(one.pixels, two.pixels)
        assert np.array_equal(one.boxes, two.boxes)
    assert np.array_equal(pixels[1], part())
    with pytest.raises(DatasetError, match=r"augmentation\.paste.*needs data\.template"):
        CropSource(truth, pixels, rules, 0)


def test_one_template_for_all_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(
        "{model: m, classes: [a], product: p, licence: l, data: {sources: [{annotations: a.json}], template: good.png}}"
    )
    with pytest.raises(DatasetError, match="stem"):
        load_config(path)
