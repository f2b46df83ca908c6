"""Hand-drawn strokes: labelled by what they touch, boxed by what they change, and nothing drawn over a defect."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.config import Augmentation, Strokes, load_config
from linewatch.training.crops import CropSource
from linewatch.training.squares import Boxes, Pixels
from linewatch.training.strokes import StrokePainter

CLASSES = ("island", "hole", "spur", "bite", "bridge", "cut")
KINDS = ("black_alone", "white_alone", "black_attached", "white_attached", "black_across", "white_across")
NO_BOXES = np.zeros((0, 4), np.float32)
NO_LABELS = np.zeros(0, np.int64)
SEEDS = range(60)


def board() -> Pixels:
    """Three vertical black bars, 24 px wide and 24 px apart, a black plane below and white ground above."""
    pixels = np.full((192, 192), 255, np.uint8)
    for left in (36, 84, 132):
        pixels[60:110, left : left + 24] = 0
    pixels[110:] = 0
    return pixels


def painter(kind: str, margin: int = 0) -> StrokePainter:
    rules = Strokes.model_validate({"mean": 3.0, "margin_px": margin, kind: CLASSES[KINDS.index(kind)]})
    return StrokePainter(rules, CLASSES)


def pieces(pixels: Pixels, level: int) -> int:
    """How many pieces of the level there are, grains of a frayed edge apart."""
    count, _, figures, _ = cv2.connectedComponentsWithStats((pixels == level).astype(np.uint8), connectivity=4)
    return sum(int(area) > 30 for area in figures[1:count, cv2.CC_STAT_AREA])


def drawn(kind: str, seed: int) -> tuple[Pixels, Boxes]:
    pixels = board()
    boxes, labels = painter(kind).draw(pixels, NO_BOXES, NO_LABELS, np.random.default_rng(seed))
    assert (labels == KINDS.index(kind)).all()
    return pixels, boxes


@pytest.mark.parametrize("kind", KINDS)
def test_a_stroke_changes_only_its_own_level_and_its_box_holds_the_change(kind: str) -> None:
    level, count = (0 if kind.startswith("black") else 255), 0
    for seed in SEEDS:
        pixels, boxes = drawn(kind, seed)
        changed = pixels != board()
        assert (pixels[changed] == level).all()
        inside = np.zeros_like(changed)
        for x1, y1, x2, y2 in boxes.astype(int):
            window = changed[y1:y2, x1:x2]
            assert window.any(0)[[0, -1]].all()  # as close as can be
            assert window.any(1)[[0, -1]].all()
            inside[y1:y2, x1:x2] = True
        assert not (changed & ~inside).any()
        count += len(boxes)
    assert count > 60


@pytest.mark.parametrize("kind", ["black_alone", "white_alone"])
def test_a_lone_stroke_touches_no_piece_and_may_be_long(kind: str) -> None:
    level, before, longest = (0 if kind.startswith("black") else 255), board(), 0.0
    touching = cv2.dilate((before == level).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    for seed in SEEDS:
        pixels, boxes = drawn(kind, seed)
        assert not ((pixels != before) & touching).any()
        longest = max([longest, *(boxes[:, 2:] - boxes[:, :2]).max(1).tolist()])
    assert longest > 50


@pytest.mark.parametrize("kind", ["black_attached", "white_attached"])
def test_an_attached_stroke_starts_at_its_own_level_and_parts_no_ground(kind: str) -> None:
    """But for a corner that it may cut off with the crop's edge."""
    level = 0 if kind.startswith("black") else 255
    near = cv2.dilate((board() == level).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    parted = 0
    for seed in SEEDS:
        pixels, boxes = drawn(kind, seed)
        parted += pieces(pixels, 255 - level) != pieces(board(), 255 - level)
        changed = pixels != board()
        for x1, y1, x2, y2 in boxes.astype(int):
            assert (changed & near)[y1:y2, x1:x2].any()
    assert parted < 4


def test_a_bridge_parts_the_white_and_a_cut_the_black() -> None:
    """As one stroke across most often does here: grainy ones may leave a gap."""
    for kind, level in (("black_across", 0), ("white_across", 255)):
        parted = sum(
            pieces(pixels, 255 - level) > pieces(board(), 255 - level)
            for pixels, boxes in (drawn(kind, seed) for seed in SEEDS)
            if len(boxes)
        )
        assert parted > 30


def test_boxes_reach_as_far_beyond_as_those_of_the_data() -> None:
    for seed in SEEDS:
        pixels, wide = board(), painter("black_alone", 10)
        boxes, _ = wide.draw(pixels, NO_BOXES, NO_LABELS, np.random.default_rng(seed))
        for x1, y1, x2, y2 in boxes.astype(int):
            rows, columns = np.nonzero((pixels != board())[y1:y2, x1:x2])
            if x1 > 0 and y1 > 0 and x2 < 192 and y2 < 192:
                assert (columns.min(), rows.min()) == (10, 10)
                assert (x2 - x1 - columns.max() - 1, y2 - y1 - rows.max() - 1) == (10, 10)


def test_nothing_is_drawn_where_a_defect_is_or_there_is_no_room() -> None:
    there = np.array([[0, 0, 192, 100]], np.float32)
    full = np.zeros((64, 64), np.uint8)
    for seed in SEEDS:
        pixels = board()
        boxes, labels = painter("black_attached").draw(
            pixels, there, np.zeros(1, np.int64), np.random.default_rng(seed)
        )
        assert np.array_equal(pixels[:100], board()[:100])
        assert len(boxes) == len(labels)
        for kind in ("black_alone", "black_attached", "white_attached", "black_across", "white_across"):
            plain = full.copy()
            painter(kind).draw(plain, NO_BOXES, NO_LABELS, np.random.default_rng(seed))
            assert not plain.any()


def test_crops_of_bad_parts_get_them_and_good_ones_stay_good() -> None:
    bad = Picture(Path("a.png"), 192, 192, "a", (Box(0, 40, 150, 12, 12),))
    good = Picture(Path("a_good.png"), 192, 192, "a", ())
    strokes = Strokes(mean=2.0, black_alone="island", white_across="cut")
    rules = Augmentation(crop_px=128, on_defect=0.5, on_good=0.5, turn=False, two_level=True, strokes=strokes)
    source = CropSource(Annotations(CLASSES, (bad, good)), [board(), board()], rules, 0)
    samples = source.batch(0, 80)
    assert all(not len(sample.boxes) for sample in samples if sample.name == good.path.name)
    labels = np.concatenate([sample.labels for sample in samples])
    assert {CLASSES.index("island"), CLASSES.index("cut")} <= set(labels.tolist())
    again = CropSource(Annotations(CLASSES, (bad, good)), [board(), board()], rules, 0).batch(0, 80)
    assert all(np.array_equal(one.pixels, two.pixels) for one, two in zip(samples, again, strict=True))


@pytest.mark.parametrize(
    ("strokes", "reason"),
    [
        ("{mean: 1.0}", "needs the class of at least one kind"),
        ("{mean: 1.0, black_alone: coper}", "'coper', which is none of the classes"),
        ("{mean: -1.0, black_alone: a}", "greater than or equal to 0"),
    ],
)
def test_strokes_without_a_class_of_the_model_are_refused(tmp_path: Path, strokes: str, reason: str) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(
        "{model: m, classes: [a], product: p, licence: l, data: {sources: [{annotations: a.json}]}, "
        f"augmentation: {{two_level: true, strokes: {strokes}}}}}"
    )
    with pytest.raises(DatasetError, match=reason):
        load_config(path)
