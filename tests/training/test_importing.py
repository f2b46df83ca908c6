"""The three annotation formats: what they mean, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Box
from linewatch.training.importing import load_annotations, load_coco, load_voc, load_yolo

WIDTH, HEIGHT = 40, 20
TRUTH = {"part1_a.png": (Box(0, 4, 2, 8, 6), Box(1, 30, 10, 10, 10)), "part2_a.png": ()}


def save_picture(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, 90).save(path)


def coco_document() -> dict[str, Any]:
    images = [{"id": i, "file_name": n, "width": WIDTH, "height": HEIGHT} for i, n in enumerate(TRUTH, start=5)]
    annotations = [
        {"id": 1, "image_id": 5, "category_id": 3, "bbox": [4, 2, 8, 6], "area": 48, "iscrowd": 0},
        {"id": 2, "image_id": 5, "category_id": 9, "bbox": [30, 10, 10.5, 10.5], "area": 110, "iscrowd": 0},
    ]
    categories = [{"id": 3, "name": "dent"}, {"id": 9, "name": "stain"}]
    return {"info": {}, "categories": categories, "images": images, "annotations": annotations}


def write_coco(folder: Path, document: object | None = None) -> Path:
    for name in TRUTH:
        save_picture(folder / "images" / name)
    path = folder / "boxes.json"
    path.write_text(json.dumps(coco_document() if document is None else document))
    return path


def write_yolo(folder: Path) -> Path:
    for name, labels in {"part1_a": "0 0.2 0.25 0.2 0.3\n1 0.875 0.75 0.25 0.5\n", "part2_a": ""}.items():
        save_picture(folder / "images" / "train" / f"{name}.png")
        (folder / "labels" / "train").mkdir(parents=True, exist_ok=True)
        (folder / "labels" / "train" / f"{name}.txt").write_text(labels)
    (folder / "data.yaml").write_text("train: images/train\nnames: {0: dent, 1: stain}\n")
    return folder


OBJECT = "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"


def write_voc(folder: Path) -> Path:
    marked = OBJECT.format("dent", 4, 2, 12, 8) + OBJECT.format("stain", 30, 10, 40, 20)
    for name, objects in {"part1_a": marked, "part2_a": ""}.items():
        save_picture(folder / "JPEGImages" / f"{name}.png")
        (folder / "Annotations").mkdir(exist_ok=True)
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>1</depth></size>"
        text = f"<annotation><filename>{name}.png</filename>{size}{objects}</annotation>"
        (folder / "Annotations" / f"{name}.xml").write_text(text)
    return folder


def boxes_by_name(annotations: Annotations) -> dict[str, tuple[Box, ...]]:
    return {picture.path.name: picture.boxes for picture in annotations.pictures}


@pytest.mark.parametrize("write", [write_coco, write_yolo, write_voc])
def test_the_three_formats_say_the_same(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    found = load_annotations(write(tmp_path), group=r"part\d")
    assert found.classes == ("dent", "stain")
    assert [picture.group for picture in found.pictures] == ["part1", "part2"]
    assert {(p.width, p.height) for p in found.pictures} == {(WIDTH, HEIGHT)}
    for name, boxes in boxes_by_name(found).items():
        assert [box.label for box in boxes] == [box.label for box in TRUTH[name]]
        for box, truth in zip(boxes, TRUTH[name], strict=True):
            assert (box.x, box.y, box.w, box.h) == pytest.approx((truth.x, truth.y, truth.w, truth.h))


@pytest.mark.parametrize("write", [write_coco, write_yolo, write_voc])
def test_the_model_orders_the_classes(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path)
    found = load_annotations(path, classes=["rust", "stain", "dent"])
    assert [box.label for box in found.pictures[0].boxes] == [2, 1]
    with pytest.raises(DatasetError, match="'stain': unknown class"):
        load_annotations(path, classes=["dent", "rust"])


def change(document: dict[str, Any], *keys: str | int, value: object) -> dict[str, Any]:
    inner: Any = document
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    return document


@pytest.mark.parametrize(
    ("keys", "value", "reason"),
    [
        (("annotations", 0, "category_id"), 4, r"annotation 1: 4: unknown class"),
        (("annotations", 1, "image_id"), 77, r"annotation 2: 77: no image"),
        (("annotations", 1, "bbox"), [30, 10, 12, 5], r"annotation 2 of part1_a.png: .*2 px outside"),
        (("annotations", 1, "bbox"), [-1.5, 0, 12, 5], r"1.5 px outside"),
        (("annotations", 1, "bbox"), [40.5, 0, 0.4, 5], r"outside its picture"),
        (("annotations", 1, "bbox"), [1, 1, 0, 5], r"wider and higher than 0"),
        (("annotations", 1, "bbox"), [1, 1, 5], r"boxes.json: is no COCO file: .*annotations\[1\].bbox"),
        (("annotations", 1, "bbox"), [1, 1, 5, "5"], r"annotations\[1\].bbox\[3\]"),
        (("annotations", 1, "iscrowd"), 1, r"crowd"),
        (("annotations", 1, "id"), 1, r"annotation id stands twice"),
        (("annotations"), None, r"annotations"),
        (("categories",), [], r"no categories"),
        (("categories", 1, "name"), "dent", r"'dent': category name stands twice"),
        (("images",), [], r"no images"),
        (("images", 1, "file_name"), "part1_a.png", r"file name stands twice"),
        (("images", 1, "id"), 5, r"5: image id stands twice"),
        (("images", 1, "file_name"), "gone.png", r"gone.png: no such picture"),
        (("images", 1, "width"), 41, r"part2_a.png: '41 x 20': picture is 40 x 20 px"),
    ],
)
def test_wrong_coco_is_refused(tmp_path: Path, keys: Any, value: object, reason: str) -> None:
    keys = keys if isinstance(keys, tuple) else (keys,)
    path = write_coco(tmp_path, change(coco_document(), *keys, value=value))
    with pytest.raises(DatasetError, match=reason):
        load_coco(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "is empty"), ("{", "no COCO file"), ("[]", "no COCO file"), ('{"images": NaN}', "no COCO")],
)
def test_a_file_that_is_no_coco_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=rf"boxes\.json: .*{reason}"):
        load_annotations(path)


def test_a_box_within_the_tolerance_is_cut_to_the_picture(tmp_path: Path) -> None:
    document = change(coco_document(), "annotations", 0, "bbox", value=[-1, -0.5, 5, 21])
    assert load_coco(write_coco(tmp_path, document)).pictures[0].boxes[0] == Box(0, 0, 0, 4, HEIGHT)


def test_pictures_that_cannot_be_trusted_are_refused(tmp_path: Path) -> None:
    path = write_coco(tmp_path)
    broken = tmp_path / "images" / "part2_a.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"part2_a\.png: is no picture"):
        load_coco(path)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (WIDTH, HEIGHT)).save(broken, exif=exif)
    with pytest.raises(DatasetError, match="orientation flag"):
        load_coco(path)


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("labels/train/part1_a.txt", "2 0.2 0.2 0.1 0.1\n", r"part1_a.txt:1: 2: unknown class"),
        ("labels/train/part1_a.txt", "-1 0.2 0.2 0.1 0.1\n", r"unknown class"),
        ("labels/train/part1_a.txt", "\n0 0.2 0.2 0.1\n", r"part1_a.txt:2: .*must be `class"),
        ("labels/train/part1_a.txt", "0 0.2 0.2 0.3 0.1 0.5 0.5\n", r"outlines"),
        ("labels/train/part1_a.txt", "0 0.2 x 0.3 0.1\n", r"decimal numbers"),
        ("labels/train/part1_a.txt", "0 0.2 nan 0.3 0.1\n", r"finite"),
        ("labels/train/part1_a.txt", "0 0.2 0.2 0.6 0.1\n", r"4 px outside"),
        ("labels/train/part1_a.txt", "0 0.2 0.2 0 0.1\n", r"higher than 0"),
        ("data.yaml", "", r"data.yaml: is empty"),
        ("data.yaml", "train: [", r"data.yaml: is not YAML"),
        ("data.yaml", "train: images/train\n", r"names: must list"),
        ("data.yaml", "train: images/train\nnames: [dent, dent]\n", r"a class stands twice"),
        ("data.yaml", "train: images/train\nnames: {1: dent, 2: stain}\n", r"count from 0"),
        ("data.yaml", "test: images/train\nnames: [dent, stain]\n", r"names none of these folders"),
        ("data.yaml", "train: images/gone\nnames: [dent, stain]\n", r"gone: no such folder"),
        ("data.yaml", "train: labels\nnames: [dent, stain]\n", r"labels: has no pictures"),
        ("data.yaml", "train: images/train\nval: images/train\nnames: [dent, stain]\n", r"two of its folders"),
    ],
)
def test_wrong_yolo_is_refused(tmp_path: Path, file: str, text: str, reason: str) -> None:
    (write_yolo(tmp_path) / file).write_text(text)
    with pytest.raises(DatasetError, match=reason):
        load_yolo(tmp_path)


def test_a_yolo_picture_without_label_file_is_no_good_part(tmp_path: Path) -> None:
    (write_yolo(tmp_path) / "labels" / "train" / "part2_a.txt").unlink()
    with pytest.raises(DatasetError, match=r"part2_a\.txt: no such label file"):
        load_yolo(tmp_path)


def test_yolo_lists_and_splits(tmp_path: Path) -> None:
    write_yolo(tmp_path)
    (tmp_path / "some.txt").write_text("images/train/part2_a.png\n\n")
    (tmp_path / "data.yaml").write_text("path: .\ntrain: [images/train]\ntest: some.txt\nnames: [dent, stain]\n")
    assert list(boxes_by_name(load_yolo(tmp_path / "data.yaml"))) == ["part1_a.png", "part2_a.png"]
    assert list(boxes_by_name(load_yolo(tmp_path, splits=("test",)))) == ["part2_a.png"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<xmax>12</xmax>", "<xmax>4</xmax>", r"part1_a.xml: dent: .*higher than 0"),
        ("<xmax>12</xmax>", "<xmax>42</xmax>", r"2 px outside"),
        ("<xmax>12</xmax>", "<xmax>wide</xmax>", r"bndbox/xmax: 'wide': must be a number"),
        ("<xmax>12</xmax>", "", r"bndbox/xmax: must be a number"),
        ("<name>dent</name>", "", r"an object has no name"),
        ("<width>40</width>", "<width>400</width>", r"part1_a.png: '400 x 20'"),
        ("<width>40</width>", "<width>0</width>", r"size/width: 0.0: must be a whole number above 0"),
        ("part1_a.png", "part2_a.png", r"belongs to the same picture"),
        ("part1_a.png", "gone.png", r"gone.png: no such picture"),
        ("part1_a.png", "../part1_a.png", r"not a path"),
        ("</annotation>", "", r"part1_a.xml: is no XML"),
        ("annotation>", "note>", r"'note': is no Pascal VOC"),
    ],
)
def test_wrong_voc_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = write_voc(tmp_path) / "Annotations" / "part1_a.xml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DatasetError, match=reason):
        load_voc(tmp_path)


def test_voc_without_file_names_takes_the_picture_of_the_same_name(tmp_path: Path) -> None:
    path = write_voc(tmp_path) / "Annotations" / "part1_a.xml"
    path.write_text(path.read_text().replace("<filename>part1_a.png</filename>", ""))
    assert boxes_by_name(load_voc(tmp_path))["part1_a.png"]
    save_picture(tmp_path / "JPEGImages" / "part1_a.jpg")
    with pytest.raises(DatasetError, match="two pictures of this name"):
        load_voc(tmp_path)


def test_good_parts_alone_need_the_classes_of_the_model(tmp_path: Path) -> None:
    (write_voc(tmp_path) / "Annotations" / "part1_a.xml").unlink()
    with pytest.raises(DatasetError, match="no classes"):
        load_annotations(tmp_path)
    assert boxes_by_name(load_annotations(tmp_path, classes=["dent"])) == {"part2_a.png": ()}


def test_what_is_no_set_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not exist"):
        load_annotations(tmp_path / "gone")
    with pytest.raises(DatasetError, match=r"must be a COCO \.json"):
        load_annotations(tmp_path)
    (tmp_path / "a.csv").write_text("1,2")
    with pytest.raises(DatasetError, match=r"must be a COCO \.json"):
        load_annotations(tmp_path / "a.csv")
    write_yolo(tmp_path)
    write_voc(tmp_path)
    with pytest.raises(DatasetError, match="holds both"):
        load_annotations(tmp_path)
