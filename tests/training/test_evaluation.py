"""Metrics on cases that can be worked out by hand."""

import json
from pathlib import Path

import pytest

from linewatch.core.errors import DatasetError, StorageError
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.evaluation import Metrics, evaluate
from linewatch.training.matching import Counts, Prediction, count_matches, iou


def annotations(*pictures: tuple[Box, ...]) -> Annotations:
    return Annotations(
        ("dent", "stain"), tuple(Picture(Path(f"{i}.png"), 100, 100, str(i), b) for i, b in enumerate(pictures))
    )


def found(label: int, score: float, x: float = 10, y: float = 10, w: float = 20, h: float = 20) -> Prediction:
    return label, score, x, y, w, h


DENT = Box(0, 10, 10, 20, 20)
FAR = Box(0, 60, 60, 20, 20)


def test_iou_by_hand() -> None:
    assert iou(DENT, found(0, 1)) == 1
    assert iou(DENT, found(0, 1, x=20)) == pytest.approx(1 / 3)
    assert iou(DENT, found(0, 1, x=30)) == 0
    assert iou(DENT, found(0, 1, w=10, h=10)) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("boxes", "predictions", "expected"),
    [
        ((DENT,), [found(0, 0.9)], Counts(1, 0, 0)),
        ((DENT,), [found(0, 0.4)], Counts(0, 0, 1)),
        ((DENT,), [found(0, 0.5)], Counts(1, 0, 0)),
        ((DENT,), [found(1, 0.9)], Counts(0, 0, 1)),
        ((DENT,), [found(0, 0.9), found(0, 0.8)], Counts(1, 1, 0)),
        ((DENT,), [found(0, 0.9, x=20)], Counts(0, 1, 1)),
        ((DENT, FAR), [found(0, 0.9, x=60, y=60), found(0, 0.6)], Counts(2, 0, 0)),
        ((), [found(0, 0.9)], Counts(0, 1, 0)),
        ((), [], Counts()),
    ],
)
def test_matches_by_hand(boxes: tuple[Box, ...], predictions: list[Prediction], expected: Counts) -> None:
    assert count_matches(boxes, predictions, 0, 0.5) == expected


def test_the_surer_detection_takes_the_box_even_if_it_fits_worse() -> None:
    one, other = found(0, 0.9, x=12), found(0, 0.8, x=10)
    # Both fit the first box; the second box is too far for the one that is left.
    assert count_matches((DENT, Box(0, 25, 10, 20, 20)), [other, one], 0, 0.5) == Counts(1, 1, 1)


def test_perfect_detections_score_one() -> None:
    truth = annotations((DENT, Box(1, 50, 50, 10, 10)), ())
    metrics = evaluate(truth, [[found(0, 0.9), found(1, 0.8, 50, 50, 10, 10)], []], 0.5)
    assert [metrics.map50, metrics.map50_95] == pytest.approx([1, 1])
    assert (metrics.precision, metrics.recall) == (1, 1)
    assert (metrics.images, metrics.boxes, metrics.threshold) == (2, 2, 0.5)


def test_average_precision_by_hand() -> None:
    # Hit at 0.9, false at 0.8, hit at 0.7: precision 1 up to recall 1/2 (51 of COCO's 101 points), then 2/3 (50).
    truth = annotations((DENT,), (FAR,))
    metrics = evaluate(truth, [[found(0, 0.9)], [found(0, 0.8), found(0, 0.7, 60, 60)]], 0.75)
    expected = (51 + 50 * 2 / 3) / 101
    assert metrics.map50 == pytest.approx(expected)
    assert metrics.map50_95 == pytest.approx(expected)
    assert metrics.precision == 0.5
    assert metrics.recall == 0.5
    assert metrics.per_class["stain"].ap50 is None
    assert metrics.per_class["dent"].ap50 == pytest.approx(expected)


def test_a_loose_box_counts_at_the_loose_limits_only() -> None:
    # 20 x 20 found as 20 x 15: IoU 0.75, a hit at 0.5, 0.55 .. 0.75, six of the ten limits.
    metrics = evaluate(annotations((DENT,)), [[found(0, 0.9, h=15)]], 0.5)
    assert metrics.map50 == pytest.approx(1)
    assert metrics.map50_95 == pytest.approx(0.6)


def test_the_mean_is_over_classes_not_boxes() -> None:
    truth = annotations((DENT, FAR, Box(1, 50, 10, 10, 10)))
    metrics = evaluate(truth, [[found(0, 0.9), found(0, 0.9, 60, 60)]], 0.5)
    assert metrics.map50 == pytest.approx(0.5)
    assert metrics.recall == pytest.approx(2 / 3)
    assert metrics.per_class["stain"].recall == 0
    assert metrics.per_class["stain"].precision is None


def test_nothing_found_and_nothing_there() -> None:
    metrics = evaluate(annotations((DENT,)), [[]], 0.5)
    assert (metrics.map50, metrics.map50_95, metrics.precision, metrics.recall) == (0, 0, None, 0)
    metrics = evaluate(annotations((), ()), [[], [found(1, 0.9)]], 0.5)
    assert (metrics.map50, metrics.map50_95, metrics.precision, metrics.recall) == (None, None, 0, None)


def test_the_terminal_stays_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    evaluate(annotations((DENT,)), [[found(0, 0.9)]], 0.5)
    assert capfd.readouterr() == ("", "")


def test_the_file_has_the_agreed_keys(tmp_path: Path) -> None:
    metrics = evaluate(annotations((DENT,)), [[found(0, 0.9)]], 0.3)
    metrics.write(tmp_path / "metrics.json")
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert list(written) == [*Metrics.__struct_fields__]
    assert set(written) == {
        "map50", "map50_95", "per_class", "precision", "recall", "threshold", "images", "boxes",
    }  # fmt: skip
    assert written["per_class"]["stain"] == {"ap50": None, "ap50_95": None, "precision": None, "recall": None}
    with pytest.raises(StorageError, match="gone"):
        metrics.write(tmp_path / "gone" / "metrics.json")


@pytest.mark.parametrize(
    ("predictions", "threshold", "reason"),
    [
        ([], 0.5, "one list of detections for each of 1"),
        ([[]], 1.5, "threshold"),
        ([[found(2, 0.9)]], 0.5, r"0\.png"),
        ([[found(0, float("nan"))]], 0.5, "not finite"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(
    predictions: list[list[Prediction]], threshold: float, reason: str
) -> None:
    with pytest.raises(DatasetError, match=reason):
        evaluate(annotations((DENT,)), predictions, threshold)


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(DatasetError, match="no pictures"):
        evaluate(annotations(), [], 0.5)
