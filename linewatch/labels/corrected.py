"""Reading what an annotation tool gave back, held against the export that it was given."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from linewatch.core.errors import DatasetError
from linewatch.labels.manifest import COCO_FILE, IMAGES, MANIFEST, Export, open_export
from linewatch.training.annotations import Annotations, Picture, relabelled
from linewatch.training.coco_format import load_coco
from linewatch.training.picture_files import SUFFIXES
from linewatch.training.yolo_format import CLASSES, DATA, load_yolo_labels

_PICTURES = (IMAGES, "obj_train_data")
_EXPECTED = "must be a COCO .json, or the folder of a YOLO set (data.yaml or classes.txt, and labels/)"


def export_of(corrected: Path, export: Path | None) -> Export:
    """The export that `corrected` was made from: `export`, else the folder it lies in. Raises DatasetError."""
    if not corrected.exists():
        raise DatasetError(corrected, f"does not exist; {_EXPECTED}")
    if export is not None:
        return open_export(export)
    folder = corrected if corrected.is_dir() else corrected.parent
    if not (folder / MANIFEST).is_file():
        raise DatasetError(corrected, "lies in no export of `linewatch labels export`: name its own (--export)")
    return open_export(folder)


def read_corrected(corrected: Path, export: Export, more_classes: Sequence[str], *, partial: bool) -> Annotations:
    """The corrected boxes on the export's own pictures.

    more_classes: that the export had not, and that may occur now. partial: pictures of the export may be left out.
    Raises DatasetError on a class that is neither, a box outside its picture, a picture of no export, missing, or
    changed since; nothing is skipped.
    """
    classes = tuple(dict.fromkeys((*export.classes, *more_classes)))
    found = relabelled(_read(corrected, export), classes, corrected)
    _check_twice(corrected, found)
    absent = export.pictures.keys() - {picture.path.name for picture in found.pictures}
    if absent and not partial:
        first = sorted(absent)[0]
        reason = f"and {len(absent) - 1} more are of the export, but not in it; --partial takes what there is"
        raise DatasetError(corrected, reason, first)
    for picture in found.pictures:
        _check_content(picture, export)
    _check_own_pictures(corrected if corrected.is_dir() else corrected.parent, export)
    if corrected.parent.name == "annotations":  # as CVAT lays a COCO set out
        _check_own_pictures(corrected.parent.parent, export)
    return found


def _read(corrected: Path, export: Export) -> Annotations:
    if corrected.is_file():
        if corrected.suffix.lower() == ".json":
            return load_coco(corrected, find=export.find)
        if corrected.name != DATA:
            raise DatasetError(corrected, _EXPECTED)
        return load_yolo_labels(corrected.parent, export.find)
    coco = (corrected / COCO_FILE).is_file()
    yolo = any((corrected / name).is_file() for name in (DATA, CLASSES, "obj.names"))
    if coco and yolo:
        raise DatasetError(corrected, "holds both COCO and YOLO labels; name the file that is meant")
    if not coco and not yolo:
        raise DatasetError(corrected, _EXPECTED)
    return load_coco(corrected / COCO_FILE, find=export.find) if coco else load_yolo_labels(corrected, export.find)


def _check_twice(corrected: Path, found: Annotations) -> None:
    seen: set[Path] = set()
    for picture in found.pictures:
        if picture.path in seen:
            raise DatasetError(corrected, "picture stands twice, under two names", picture.path.name)
        seen.add(picture.path)


def _check_content(picture: Picture, export: Export) -> None:
    if _sha256(picture.path) != export.pictures[picture.path.name].sha256:
        raise DatasetError(picture.path, "was changed since the export (sha256): its boxes may fit another picture")


def _check_own_pictures(folder: Path, export: Export) -> None:
    """Pictures that the tool gave back must be those that it was given."""
    if folder.resolve() == export.folder.resolve():
        return
    for path in sorted(found for name in _PICTURES for found in (folder / name).rglob("*")):
        given = export.named(path.name) if path.suffix.lower() in SUFFIXES else None
        if given is not None and _sha256(path) != given.sha256:
            raise DatasetError(path, "is not the picture that was exported (sha256): its boxes may fit another one")


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise DatasetError(path, exc.strerror or "cannot be read") from exc
