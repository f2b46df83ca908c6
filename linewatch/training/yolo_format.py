"""YOLO: data.yaml names the classes and the picture folders; each picture has a .txt of `class cx cy w h`, 0 to 1."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from linewatch.core.errors import DatasetError
from linewatch.core.yamltext import parse_yaml
from linewatch.training.annotations import Annotations, Box, Picture, compiled_group, group_of
from linewatch.training.picture_files import SUFFIXES, Refused, fitted_box, picture_size, read_text


def load_yolo(
    path: Path, images: Path | None = None, group: str | None = None, splits: Sequence[str] = ("train", "val")
) -> Annotations:
    """The pictures and boxes of the data.yaml at `path` (or in the folder `path`).

    images: read this folder of pictures instead of those that data.yaml names. splits: which of its folders to read,
    those of them that it has. A good part has an empty .txt: a picture without one is an error, nobody looked at it.
    Raises DatasetError naming file, line, value and reason.
    """
    file = path / "data.yaml" if path.is_dir() else path
    document = _document(file)
    classes = _names(file, document.get("names"))
    folders = [images] if images is not None else _folders(file, document, splits)
    pattern = compiled_group(group)
    files = [found for folder in folders for found in _pictures(folder)]
    pictures: dict[Path, Picture] = {}
    refused = Refused()
    for picture in files:
        if picture in pictures:
            raise DatasetError(file, "picture stands in two of its folders", str(picture))
        with refused.gather():
            width, height = picture_size(picture)
            boxes = _boxes(_label_file(picture), len(classes), width, height)
            pictures[picture] = Picture(picture, width, height, group_of(picture.name, pattern), boxes)
    refused.check(file, len(files))
    return Annotations(classes, tuple(pictures.values()))


def _document(file: Path) -> dict[str, Any]:
    try:
        document = parse_yaml(read_text(file))
    except yaml.YAMLError as exc:
        raise DatasetError(file, f"is not YAML: {exc}") from exc
    if not isinstance(document, dict):
        raise DatasetError(file, "is empty or no mapping", document)
    return document


def _names(file: Path, names: object) -> tuple[str, ...]:
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise DatasetError(f"{file}: names", "keys must count from 0", list(names))
        names = [names[index] for index in range(len(names))]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise DatasetError(f"{file}: names", "must list the classes", names)
    if len(set(names)) != len(names):
        raise DatasetError(f"{file}: names", "a class stands twice", names)
    return tuple(names)


def _folders(file: Path, document: dict[str, Any], splits: Sequence[str]) -> list[Path]:
    root = file.parent / str(document.get("path") or ".")
    entries = [entry for split in splits if document.get(split) for entry in _listed(document[split])]
    if not entries:
        raise DatasetError(file, "names none of these folders", list(splits))
    return [root / str(entry) for entry in entries]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _pictures(folder: Path) -> list[Path]:
    """The pictures in `folder`, or those that the .txt `folder` lists."""
    if folder.suffix == ".txt" and folder.is_file():
        found = [folder.parent / line.strip() for line in read_text(folder).splitlines() if line.strip()]
    elif folder.is_dir():
        found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    else:
        raise DatasetError(folder, "no such folder of pictures")
    if not found:
        raise DatasetError(folder, "has no pictures")
    return found


def _label_file(picture: Path) -> Path:
    """The .txt of a picture: under `labels` where the picture is under `images`, else beside it."""
    parts = list(picture.with_suffix(".txt").parts)
    if "images" in parts[:-1]:
        last = len(parts) - 2 - parts[-2::-1].index("images")
        parts[last] = "labels"
    return Path(*parts)


def _boxes(file: Path, classes: int, width: int, height: int) -> tuple[Box, ...]:
    if not file.is_file():
        raise DatasetError(file, "no such label file; a good part has an empty one")
    lines = enumerate(read_text(file).splitlines(), start=1)
    return tuple(_box(f"{file}:{number}", line, classes, width, height) for number, line in lines if line.strip())


def _box(where: str, line: str, classes: int, width: int, height: int) -> Box:
    words = line.split()
    if len(words) != 5:
        raise DatasetError(where, "must be `class cx cy w h`; outlines of segments are not read", line)
    try:
        label, (cx, cy, w, h) = int(words[0]), map(float, words[1:])
    except ValueError as exc:
        raise DatasetError(where, "must be one whole and four decimal numbers", line) from exc
    if not 0 <= label < classes:
        raise DatasetError(where, f"unknown class; data.yaml names {classes}, counted from 0", label)
    box = Box(label, (cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height)
    return fitted_box(where, box, width, height)
