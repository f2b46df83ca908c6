"""Read annotations of any of the three usual formats: COCO (.json), YOLO (data.yaml), Pascal VOC (folder of .xml)."""

from collections.abc import Sequence
from pathlib import Path

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, relabelled
from linewatch.training.coco_format import load_coco
from linewatch.training.voc_format import load_voc, voc_files
from linewatch.training.yolo_format import load_yolo

__all__ = ["load_annotations", "load_coco", "load_voc", "load_yolo"]

_EXPECTED = "must be a COCO .json, a YOLO data.yaml or the folder that holds it, or a folder of Pascal VOC .xml files"


def load_annotations(
    path: Path, images: Path | None = None, classes: Sequence[str] | None = None, group: str | None = None
) -> Annotations:
    """The annotations at `path`, whichever of the three formats they have.

    images: folder of the pictures, where the format does not say it. classes: the model's; none takes the file's own.
    group: regular expression on the picture's file name whose first group (or whole match) names its group.
    Raises DatasetError that names file, value and reason: nothing is skipped or guessed.
    """
    found = _load(path, images, group)
    if classes is not None:
        return relabelled(found, classes, path)
    if not found.classes:
        raise DatasetError(path, "marks no object, so it has no classes; name the model's")
    return found


def _load(path: Path, images: Path | None, group: str | None) -> Annotations:
    if not path.exists():
        raise DatasetError(path, f"does not exist; {_EXPECTED}")
    if path.is_file():
        match path.suffix.lower():
            case ".json":
                return load_coco(path, images, group)
            case ".yaml" | ".yml":
                return load_yolo(path, images, group)
        raise DatasetError(path, _EXPECTED)
    yolo, voc = (path / "data.yaml").is_file(), bool(voc_files(path))
    if yolo and voc:
        raise DatasetError(path, "holds both a YOLO data.yaml and Pascal VOC files; name the one that is meant")
    if yolo:
        return load_yolo(path, images, group)
    if voc:
        return load_voc(path, images, group)
    raise DatasetError(path, _EXPECTED)
