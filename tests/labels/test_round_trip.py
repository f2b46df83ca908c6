"""Out to annotation tools and back: what was corrected is counted, what does not belong is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from linewatch.cli import main
from linewatch.core.errors import DatasetError
from linewatch.labels.exporting import export_labels
from linewatch.labels.importing import Corrections, import_labels
from linewatch.labels.selecting import Wanted
from linewatch.training.annotations import Annotations
from linewatch.training.config import load_config
from linewatch.training.importing import load_annotations
from linewatch.training.splitting import load_split

RUN = "20261123T010203-abc123"
MakeRun = Callable[..., Path]

CONFIG = """\
model: models/new
classes: [crack, stain]
product: bottles
licence: ours
data:
  sources:
    - annotations: {}
  group: "^(.+_[0-9]{{8,}})"
  validation_share: 0.4
"""


@pytest.fixture
def coco(make_run: MakeRun, tmp_path: Path) -> Path:
    export_labels(make_run(), tmp_path / "set", "coco", Wanted("all"))
    return tmp_path / "set" / "annotations.json"


@pytest.fixture
def yolo(make_run: MakeRun, tmp_path: Path) -> Path:
    export_labels(make_run(), tmp_path / "set", "yolo", Wanted("all"))
    return tmp_path / "set"


def counts(found: Corrections, name: str) -> tuple[int, ...]:
    one = found.classes[name]
    return one.kept, one.moved, one.renamed, one.removed, one.added


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_untouched_labels_come_back_unchanged_and_train_takes_them(coco: Path, tmp_path: Path) -> None:
    found = import_labels(coco, tmp_path / "back")
    assert (found.pictures, found.changed_pictures, found.total.changed, found.total.kept) == (5, 0, 0, 3)
    assert found.total.right == 1.0
    (tmp_path / "train.yaml").write_text(CONFIG.format(tmp_path / "back/annotations.json"))
    split = load_split(load_config(tmp_path / "train.yaml"))
    assert len(split.learn.pictures) + len(split.validation.pictures) == 5
    assert split.learn.boxes + split.validation.boxes == 3
    back = json.loads((tmp_path / "back/annotations.json").read_text())
    assert [one["linewatch"]["seq"] for one in back["images"]] == [1, 2, 3, 4, 5]


def test_what_a_person_changed_in_coco_is_counted(coco: Path, tmp_path: Path) -> None:
    def correct(document: dict[str, Any]) -> None:
        first, second, third = document["annotations"]  # part 2: crack; part 4: crack and stain
        first["bbox"][0] += 6
        second["category_id"] = third["category_id"]
        document["annotations"].remove(third)
        missed = {"id": 9, "image_id": document["images"][0]["id"], "category_id": 1, "bbox": [100, 100, 30, 20]}
        document["annotations"].append(missed)

    edit(coco, correct)
    found = import_labels(coco, tmp_path / "back")
    assert counts(found, "crack") == (0, 1, 1, 0, 1)
    assert counts(found, "stain") == (0, 0, 0, 1, 0)
    assert (found.changed_pictures, found.total.exported) == (3, 3) and found.total.right == pytest.approx(1 / 3)
    assert (found.judged, found.false_rejects, found.escapes) == (4, 0, 1)
    assert json.loads((tmp_path / "back/corrections.json").read_text())["classes"]["crack"]["moved"] == 1
    assert load_annotations(tmp_path / "back/annotations.json").pictures[0].boxes[0].x == 100


def test_what_a_person_changed_in_yolo_is_counted(yolo: Path, tmp_path: Path) -> None:
    (yolo / "labels" / f"{RUN}_00000002.txt").write_text("")
    found = import_labels(yolo, tmp_path / "back")
    assert counts(found, "crack") == (1, 0, 0, 1, 0)
    assert (found.judged, found.false_rejects, found.escapes) == (4, 1, 0)


def test_a_set_that_came_back_alone_names_its_export(yolo: Path, tmp_path: Path) -> None:
    """As Label Studio gives it back: classes.txt sorted anew, a prefix before each name, its own copies of pictures."""
    back = tmp_path / "download"
    (back / "labels").mkdir(parents=True)
    (back / "images").mkdir()
    (back / "classes.txt").write_text("stain\ncrack\n")
    for picture in (yolo / "images").iterdir():
        shutil.copyfile(picture, back / "images" / f"0badcafe-{picture.name}")
        text = (yolo / "labels" / f"{picture.stem}.txt").read_text()
        swapped = "".join(f"{1 - int(line[0])}{line[1:]}\n" for line in text.splitlines())
        (back / "labels" / f"0badcafe-{picture.stem}.txt").write_text(swapped)
    with pytest.raises(DatasetError, match=r"lies in no export.*--export"):
        import_labels(back, tmp_path / "x")
    assert import_labels(back, tmp_path / "back", export=yolo).total.changed == 0
    Image.new("L", (240, 200), 3).save(back / "images" / f"0badcafe-{RUN}_00000002.png")
    with pytest.raises(DatasetError, match=r"0badcafe-.*00000002.png: is not the picture that was exported"):
        import_labels(back, tmp_path / "x", export=yolo)


def test_coco_names_with_folders_are_found(coco: Path, tmp_path: Path) -> None:
    def rename(document: dict[str, Any]) -> None:
        for image in document["images"]:
            image["file_name"] = f"images/{image['file_name']}"

    edit(coco, rename)
    alone = tmp_path / "instances.json"
    coco.rename(alone)
    assert import_labels(alone, tmp_path / "back", export=coco.parent).total.kept == 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: d["categories"].append({"id": 7, "name": "dent"}), "'dent': unknown class"),
        (lambda d: d["annotations"][0].update(category_id=77), "77: unknown class"),
        (lambda d: d["annotations"][0].update(bbox=[230, 30, 40, 20]), "30 px outside"),
        (lambda d: d["images"][0].update(width=99), "picture is 240 x 200 px"),
        (lambda d: d["images"][0].update(file_name="other.png"), r"other\.png: is no picture of the export"),
        (lambda d: d["images"].pop(0), r"00000001\.png': and 0 more are of the export, but not in it; --partial"),
        (lambda d: d["images"][0].update(file_name=f"0badcafe-{RUN}_00000002.png"), "picture stands twice"),
    ],
)
def test_what_does_not_belong_is_refused(coco: Path, tmp_path: Path, change: Any, reason: str) -> None:
    edit(coco, change)
    with pytest.raises(DatasetError, match=reason):
        import_labels(coco, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_pictures_must_be_there_and_as_they_were(coco: Path, tmp_path: Path) -> None:
    picture = coco.parent / "images" / f"{RUN}_00000003.png"
    Image.new("L", (240, 200), 3).save(picture)
    with pytest.raises(DatasetError, match=r"00000003\.png: was changed since the export \(sha256\)"):
        import_labels(coco, tmp_path / "back")
    picture.unlink()
    with pytest.raises(DatasetError, match=r"00000003\.png: no such picture"):
        import_labels(coco, tmp_path / "back")


def test_partial_work_and_new_classes_are_taken_when_said(coco: Path, tmp_path: Path) -> None:
    def correct(document: dict[str, Any]) -> None:
        document["images"] = document["images"][:2]
        document["annotations"] = document["annotations"][:1]
        document["categories"].append({"id": 7, "name": "dent"})
        document["annotations"][0]["category_id"] = 7

    edit(coco, correct)
    found = import_labels(coco, tmp_path / "back", more_classes=["dent", "crack"], partial=True)
    assert (found.pictures, found.exported, counts(found, "crack")) == (2, 5, (0, 0, 1, 0, 0))
    taken: Annotations = load_annotations(tmp_path / "back/annotations.json")
    assert taken.classes == ("crack", "stain", "dent") and [p.boxes[0].label for p in taken.pictures if p.boxes] == [2]


def test_what_is_no_corrected_set_is_refused(yolo: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none: does not exist; must be a COCO"):
        import_labels(tmp_path / "none", tmp_path / "back")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"empty: must be a COCO"):
        import_labels(tmp_path / "empty", tmp_path / "back", export=yolo)
    (yolo / "images/stray.txt").write_text("")
    with pytest.raises(DatasetError, match=r"both in labels/ and in images/"):
        import_labels(yolo, tmp_path / "back")
    (yolo / "images/stray.txt").unlink()
    (yolo / "annotations.json").write_text("{}")
    with pytest.raises(DatasetError, match="holds both COCO and YOLO"):
        import_labels(yolo, tmp_path / "back")


def test_the_command_prints_what_a_training_configuration_needs(
    coco: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(coco, lambda document: document["annotations"].pop())
    assert main(["labels", "import", str(coco), "--output", str(tmp_path / "back")]) == 0
    said = capsys.readouterr().out
    assert "1 of 5 pictures changed" in said and f"annotations: {tmp_path / 'back/annotations.json'}" in said
    assert main(["labels", "import", str(coco), "--output", str(tmp_path / "back")]) == 5
    assert "is not empty" in capsys.readouterr().err
