import json
from pathlib import Path

import pytest

from linewatch.core.errors import DatasetError, StorageError
from linewatch.core.messages import Verdict
from linewatch.replay.truth import Outcome, compare, load_names, load_truth


def coco(path: Path, bad: list[str], good: list[str]) -> Path:
    images = [{"id": n, "file_name": name, "width": 8, "height": 8} for n, name in enumerate([*bad, *good])]
    boxes = [{"id": n, "image_id": n, "category_id": 1, "bbox": [0, 0, 1, 1]} for n in range(len(bad))]
    path.write_text(json.dumps({"images": images, "annotations": boxes, "categories": []}))
    return path


def outcome(file: str, verdict: str, is_failsafe: bool = False) -> Outcome:
    return Outcome(file, Verdict(verdict), is_failsafe)


def test_pictures_with_boxes_are_bad_and_those_without_are_good(tmp_path: Path) -> None:
    one = coco(tmp_path / "a.json", bad=["1.png"], good=["2.png"])
    other = coco(tmp_path / "b.json", bad=[], good=["images/3.png", "2.png"])
    assert load_truth([one, other]) == {"1.png": True, "2.png": False, "3.png": False}


def test_two_truths_that_disagree_are_refused(tmp_path: Path) -> None:
    one = coco(tmp_path / "a.json", bad=["1.png"], good=[])
    other = coco(tmp_path / "b.json", bad=[], good=["1.png"])
    with pytest.raises(DatasetError, match=r"1\.png"):
        load_truth([one, other])


@pytest.mark.parametrize("text", ["", "[]", "{", '{"images": []}', "\xff"])
def test_what_is_no_coco_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "truth.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DatasetError, match=r"truth\.json"):
        load_truth([path])


def test_a_truth_that_is_missing_is_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        load_truth([tmp_path / "none.json"])


def test_wrong_verdicts_are_counted_among_the_known_parts_only() -> None:
    truth = {"good.png": False, "good2.png": False, "bad.png": True, "unseen.png": True}
    outcomes = [
        outcome("good.png", "PASS"),
        outcome("good2.png", "REJECT", is_failsafe=True),
        outcome("bad.png", "PASS"),
        outcome("stranger.png", "REJECT"),
    ]
    found = compare(outcomes, truth)
    assert (found.good, found.bad, found.unknown, found.fail_safe_good) == (2, 1, 1, 1)
    assert found.false_rejects is not None
    assert (found.false_rejects.count, found.false_rejects.share) == (1, 0.5)
    assert found.escape_files == ("bad.png",)
    assert found.missing == ()


def test_a_rate_without_parts_is_named_as_missing() -> None:
    found = compare([outcome("good.png", "PASS")], {"good.png": False})
    assert found.escapes is None
    assert found.missing == ("escapes: no bad part in the truth was decided",)


def test_names_are_read_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "only.txt"
    path.write_text("# validation boards\n1.png\n\nimages/2.png\n")
    assert load_names(path) == {"1.png", "2.png"}
    path.write_text("\n")
    with pytest.raises(DatasetError, match="names no picture"):
        load_names(path)
