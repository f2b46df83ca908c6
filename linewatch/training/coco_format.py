"""COCO: one JSON file with `categories`, `images` and `annotations`; `bbox` is x, y, width, height in px."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Box, Picture, compiled_group, group_of
from linewatch.training.picture_files import Refused, check_size, fitted_box, read_text
from linewatch.training.whole_file import write_whole

_Id = int | str


class _Category(msgspec.Struct):
    id: int
    name: str


class _Image(msgspec.Struct):
    id: _Id
    file_name: str
    width: int
    height: int


class _Annotation(msgspec.Struct):
    id: _Id
    image_id: _Id
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0


class _Coco(msgspec.Struct):
    categories: list[_Category]
    images: list[_Image]
    annotations: list[_Annotation]


def load_coco(
    path: Path, images: Path | None = None, group: str | None = None, find: Callable[[str], Path] | None = None
) -> Annotations:
    """The COCO annotations at `path`; the classes are its categories in their order.

    images: folder that file names are taken from; none means `images` beside the file, else the file's own folder.
    find: in place of a folder, the picture of a file name. Raises DatasetError naming file, value and reason.
    """
    coco = _decoded(path)
    _check(path, coco)
    find = find or (images if images is not None else _usual_folder(path)).joinpath
    boxes = _boxes(path, coco)
    pattern = compiled_group(group)
    pictures, refused = [], Refused()
    for image in coco.images:
        file = find(image.file_name)
        with refused.gather():
            check_size(file, image.width, image.height)
        pictures.append(Picture(file, image.width, image.height, group_of(file.name, pattern), tuple(boxes[image.id])))
    refused.check(path, len(coco.images))
    return Annotations(tuple(category.name for category in coco.categories), tuple(pictures))


def write_coco(path: Path, annotations: Annotations, extras: Sequence[Mapping[str, Any]]) -> None:
    """Write `annotations` to `path`; pictures are named by their file name. Raises StorageError.

    extras: keys of ours for each picture's entry; readers of COCO pass over what they do not know.
    """
    images: list[dict[str, Any]] = []
    marked: list[dict[str, Any]] = []
    for number, (picture, more) in enumerate(zip(annotations.pictures, extras, strict=True), start=1):
        size = {"width": picture.width, "height": picture.height}
        images.append({"id": number, "file_name": picture.path.name, **size, **more})
        for box in picture.boxes:
            bbox = [round(value, 2) for value in (box.x, box.y, box.w, box.h)]
            marked.append({"id": len(marked) + 1, "image_id": number, "category_id": box.label + 1, "bbox": bbox,
                           "area": round(box.w * box.h, 2), "segmentation": [], "iscrowd": 0})  # fmt: skip
    categories = [{"id": index, "name": name} for index, name in enumerate(annotations.classes, start=1)]
    document = {"info": {}, "licenses": [], "categories": categories, "images": images, "annotations": marked}
    write_whole(path, msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def _decoded(path: Path) -> _Coco:
    text = read_text(path)
    if not text.strip():
        raise DatasetError(path, "is empty")
    try:
        return msgspec.json.decode(text, type=_Coco)
    except msgspec.DecodeError as exc:
        raise DatasetError(path, f"is no COCO file: {exc}") from exc


def _check(path: Path, coco: _Coco) -> None:
    if not coco.categories:
        raise DatasetError(path, "has no categories")
    if not coco.images:
        raise DatasetError(path, "has no images")
    _unique(path, "category id", (category.id for category in coco.categories))
    _unique(path, "category name", (category.name for category in coco.categories))
    _unique(path, "image id", (image.id for image in coco.images))
    _unique(path, "file name", (image.file_name for image in coco.images))
    _unique(path, "annotation id", (annotation.id for annotation in coco.annotations))


def _unique(path: Path, what: str, values: Iterable[Hashable]) -> None:
    seen: set[Hashable] = set()
    for value in values:
        if value in seen:
            raise DatasetError(path, f"{what} stands twice", value)
        seen.add(value)


def _usual_folder(path: Path) -> Path:
    beside = path.parent / "images"
    return beside if beside.is_dir() else path.parent


def _boxes(path: Path, coco: _Coco) -> dict[_Id, list[Box]]:
    images = {image.id: image for image in coco.images}
    labels = {category.id: index for index, category in enumerate(coco.categories)}
    boxes: dict[_Id, list[Box]] = {image.id: [] for image in coco.images}
    for annotation in coco.annotations:
        where = f"{path}: annotation {annotation.id}"
        image = images.get(annotation.image_id)
        if image is None:
            raise DatasetError(where, "no image has this id", annotation.image_id)
        if annotation.category_id not in labels:
            raise DatasetError(where, "unknown class: no category has this id", annotation.category_id)
        if annotation.iscrowd:
            raise DatasetError(where, "is a crowd; mark each defect with its own box", annotation.iscrowd)
        box = Box(labels[annotation.category_id], *annotation.bbox)
        boxes[image.id].append(fitted_box(f"{where} of {image.file_name}", box, image.width, image.height))
    return boxes
