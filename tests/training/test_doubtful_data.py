"""Data that must not be learnt from: pictures on both sides of a split, and pictures that cannot be read."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Picture
from linewatch.training.importing import load_annotations
from linewatch.training.overlap import check_contents
from linewatch.training.reading import read_all


def saved(path: Path, seed: int) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 32), np.uint8)
    path.parent.mkdir(exist_ok=True)
    assert cv2.imwrite(str(path), pixels)
    return Picture(path, 32, 24, path.name, ())


def test_the_same_content_under_another_name_is_refused_and_every_pair_is_listed(tmp_path: Path) -> None:
    learn = Annotations(("dent",), tuple(saved(tmp_path / f"learn/{seed}.png", seed) for seed in range(4)))
    other = Annotations(("dent",), tuple(saved(tmp_path / f"other/{seed}.png", seed + 50) for seed in range(3)))
    check_contents(learn, other)
    copies = Annotations(("dent",), (saved(tmp_path / "held/a.png", 1), saved(tmp_path / "held/b.png", 3)))
    with pytest.raises(DatasetError, match=r"2 pictures are on both sides.*1\.png = a\.png; .*3\.png = b\.png"):
        check_contents(learn, copies, other)


def test_the_same_content_twice_on_one_side_does_no_harm(tmp_path: Path) -> None:
    learn = Annotations(("dent",), (saved(tmp_path / "a.png", 1), saved(tmp_path / "b.png", 1)))
    check_contents(learn, Annotations(("dent",), (saved(tmp_path / "c.png", 2),)))


def test_corrupt_pictures_are_listed_together(tmp_path: Path) -> None:
    pictures = tuple(saved(tmp_path / f"{seed}.png", seed) for seed in range(5))
    for index in (1, 3):
        whole = pictures[index].path.read_bytes()
        pictures[index].path.write_bytes(whole[: len(whole) // 2])
    learn, held_out = Annotations(("dent",), pictures[:3]), Annotations(("dent",), pictures[3:])
    with pytest.raises(DatasetError, match=r"2 of 5 pictures cannot be used: .*/1\.png: .*; .*/3\.png: "):
        read_all(learn, held_out)
    read = read_all(Annotations(("dent",), pictures[:1]), Annotations(("dent",), ()))
    assert [len(pixels) for pixels in read] == [1, 0]


@pytest.mark.parametrize("form", ["yolo", "voc"])
def test_importers_list_every_picture_that_is_none(tmp_path: Path, form: str) -> None:
    for seed in range(3):
        saved(tmp_path / f"images/{seed}.png", seed)
    for broken in (0, 2):
        (tmp_path / f"images/{broken}.png").write_bytes(b"no picture")
    if form == "yolo":
        (tmp_path / "data.yaml").write_text("{names: [dent], train: images}")
        (tmp_path / "labels").mkdir()
    for seed in range(3):
        if form == "yolo":
            (tmp_path / f"labels/{seed}.txt").write_text("0 0.5 0.5 0.2 0.2")
        else:
            (tmp_path / f"{seed}.xml").write_text(
                f"<annotation><filename>{seed}.png</filename><size><width>32</width><height>24</height></size><object>"
                "<name>dent</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>"
                "</annotation>"
            )
    with pytest.raises(DatasetError) as caught:
        load_annotations(tmp_path, tmp_path / "images" if form == "voc" else None)
    assert "2 of 3 pictures" in str(caught.value)
    assert re.findall(r"/(\d)\.png: is no picture", str(caught.value)) == ["0", "2"]
