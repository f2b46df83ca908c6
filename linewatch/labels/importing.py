"""`labels import`: corrected labels as a set that `linewatch train` learns from, and what was corrected in figures."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from linewatch.core.messages import Cause
from linewatch.labels.corrected import export_of, read_corrected
from linewatch.labels.correcting import Counts, changes
from linewatch.labels.exporting import extra
from linewatch.labels.manifest import COCO_FILE, IMAGES, Export, boxes_of
from linewatch.labels.new_folder import new_folder
from linewatch.pictures.write import write_whole
from linewatch.training.annotations import Annotations
from linewatch.training.coco_format import write_coco

CORRECTIONS = "corrections.json"


class Corrections(msgspec.Struct, kw_only=True):
    """What a person changed. classes: by class. total: all of them.

    pictures: in the corrected set, of so many `exported`. changed_pictures: with any change. false_rejects, escapes:
    whole frames that were rejected for a defect and have none, or passed and have one, of so many `judged`.
    """

    pictures: int
    exported: int
    changed_pictures: int = 0
    judged: int = 0
    false_rejects: int = 0
    escapes: int = 0
    total: Counts = msgspec.field(default_factory=Counts)
    classes: dict[str, Counts] = msgspec.field(default_factory=dict)


def import_labels(
    corrected: Path,
    output: Path,
    *,
    export: Path | None = None,
    more_classes: Sequence[str] = (),
    partial: bool = False,
) -> Corrections:
    """Write the set of `corrected` into the new folder `output`: images/, annotations.json, corrections.json.

    export: folder of the export it was made from; none takes the folder it lies in. more_classes, partial and
    DatasetError: as `read_corrected`. Raises StorageError when it cannot be written.
    """
    given = export_of(corrected, export)
    found = read_corrected(corrected, given, more_classes, partial=partial)
    corrections = compare(given, found)
    with new_folder(output) as folder:
        (folder / IMAGES).mkdir()
        for picture in found.pictures:
            shutil.copyfile(picture.path, folder / IMAGES / picture.path.name)
        placed = tuple(replace(picture, path=folder / IMAGES / picture.path.name) for picture in found.pictures)
        extras = [extra(given.pictures[picture.path.name]) for picture in placed]
        write_coco(folder / COCO_FILE, replace(found, pictures=placed), extras)
        write_whole(folder / CORRECTIONS, msgspec.json.format(msgspec.json.encode(corrections), indent=1) + b"\n")
    return corrections


def compare(export: Export, found: Annotations) -> Corrections:
    """The corrected boxes beside the exported ones, picture by picture."""
    result = Corrections(pictures=len(found.pictures), exported=len(export.pictures))
    result.classes = {name: Counts() for name in found.classes}
    for picture in found.pictures:
        given = export.pictures[picture.path.name]
        seen = changes(boxes_of(given, found.classes), picture.boxes)
        for change, label in seen:
            result.total.count(change)
            result.classes[found.classes[label]].count(change)
        result.changed_pictures += any(change != "kept" for change, _ in seen)
        if given.origin.crop is None and not given.origin.cause.is_failsafe:
            result.judged += 1
            result.false_rejects += given.origin.cause is Cause.DEFECT and not picture.boxes
            result.escapes += given.origin.cause is Cause.OK and bool(picture.boxes)
    return result
