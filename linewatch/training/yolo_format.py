"""YOLO: data.yaml names the classes and the picture folders; each picture has a .txt of `class cx cy w h`, 0 to 1."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from linewatch.core.errors import DatasetError
from linewatch.core.yamltext import parse_yaml
from linewatch.training.annotations import Annotations, Box, Picture, compiled_group, group_of
from linewatch.training.picture_files import SUFFIXES, Refused, fitted_box, picture_size, read_text
from linewatch.training.whole_file import make_folder, write_whole

IMAGES, LABELS, DATA, CLASSES = "images", "labels", "data.yaml", "classes.txt"
_NO_LABELS = (CLASSES, "train.txt", "val.txt", "test.txt")  # lists that tools put among the label files


def load_yolo(
    path: Path, images: Path | None = None, group: str | None = None, splits: Sequence[str] = ("train", "val")
) -> Annotations:
    """The pictures and boxes of the data.yaml at `path` (or in the folder `path`).

    images: read this folder of pictures instead of those that data.yaml names. splits: which of its folders to read,
    those of them that it has. A good part has an empty .txt: a picture without one is an error, nobody looked at it.
    Raises DatasetError naming file, line, value and reason.
    """
    file = path / DATA if path.is_dir() else path
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


def load_yolo_labels(folder: Path, find: Callable[[str], Path]) -> Annotations:
    """The label files of a set whose pictures lie elsewhere, or have other names, as annotation tools give it back.

    The classes are those of data.yaml, classes.txt or obj.names; the .txt files lie in labels/ (or obj_train_data/, or
    in the folder itself). find: the picture of a label file's name without its suffix. Raises DatasetError.
    """
    classes = _class_list(folder)
    files = _label_files(folder)
    pictures: list[Picture] = []
    refused = Refused()
    for file in files:
        path = find(file.stem)
        with refused.gather():
            width, height = picture_size(path)
            pictures.append(Picture(path, width, height, path.name, _boxes(file, len(classes), width, height)))
    refused.check(folder, len(files))
    return Annotations(classes, tuple(pictures))


def write_yolo(folder: Path, annotations: Annotations) -> None:
    """Write data.yaml, classes.txt and labels/ of `annotations`, whose pictures lie in `folder`/images.

    classes.txt stands beside the label files as well, where labelImg looks for it. Raises StorageError.
    """
    make_folder(folder / LABELS)
    document = {"path": ".", "train": IMAGES, "names": dict(enumerate(annotations.classes))}
    write_whole(folder / DATA, yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode())
    names = "".join(f"{name}\n" for name in annotations.classes).encode()
    for path in (folder / CLASSES, folder / LABELS / CLASSES):
        write_whole(path, names)
    for picture in annotations.pictures:
        lines = "".join(_line(box, picture) for box in picture.boxes)
        write_whole(folder / LABELS / f"{picture.path.stem}.txt", lines.encode())


def _line(box: Box, picture: Picture) -> str:
    cx, cy = (box.x + box.w / 2) / picture.width, (box.y + box.h / 2) / picture.height
    return f"{box.label} {cx:.6f} {cy:.6f} {box.w / picture.width:.6f} {box.h / picture.height:.6f}\n"


def _class_list(folder: Path) -> tuple[str, ...]:
    if (folder / DATA).is_file():
        return _names(folder / DATA, _document(folder / DATA).get("names"))
    for name in (CLASSES, "obj.names"):
        if (folder / name).is_file():
            lines = [line.strip() for line in read_text(folder / name).splitlines()]
            return _names(folder / name, [line for line in lines if line])
    raise DatasetError(folder, f"names no classes: it has neither {DATA} nor {CLASSES} nor obj.names")


def _label_files(folder: Path) -> list[Path]:
    usual = [folder / name for name in (LABELS, "obj_train_data") if (folder / name).is_dir()]
    root = usual[0] if usual else folder
    if root.name == LABELS and any((folder / IMAGES).rglob("*.txt")):
        raise DatasetError(folder, "has label files both in labels/ and in images/: remove those that are not meant")
    found = sorted(file for file in root.rglob("*.txt") if file.name not in _NO_LABELS)
    if not found:
        raise DatasetError(root, "has no label files")
    return found


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
