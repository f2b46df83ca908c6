"""`labels export`: the saved pictures of a run with their detections as boxes, for annotation tools."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec

from linewatch.core.clock import wall_time
from linewatch.core.errors import DatasetError
from linewatch.core.station import Station
from linewatch.inspection.classes import detector_classes
from linewatch.labels.manifest import (
    COCO_FILE,
    IMAGES,
    VERSION,
    ExportedPicture,
    Manifest,
    Origin,
    boxes_of,
    write_manifest,
)
from linewatch.labels.new_folder import new_folder
from linewatch.labels.selecting import Wanted
from linewatch.labels.views import Size, View, views
from linewatch.pictures.calibration import load_station_calibration
from linewatch.records.decision_log import DecisionLine, read_decisions
from linewatch.records.model_of_run import model_of
from linewatch.training.annotations import Annotations, Picture
from linewatch.training.coco_format import write_coco
from linewatch.training.picture_files import picture_size
from linewatch.training.yolo_format import write_yolo

Format = Literal["coco", "yolo"]


@dataclass
class Exported:
    """What came of an export. without: wanted parts that gave no picture, by what became of it."""

    parts: int = 0
    boxes: Counter[str] = field(default_factory=Counter)
    pictures: list[ExportedPicture] = field(default_factory=list)
    without: Counter[str] = field(default_factory=Counter)
    classes: tuple[str, ...] = ()


def export_labels(run: Path, output: Path, layout: Format, wanted: Wanted, station: Station | None = None) -> Exported:
    """Write the wanted parts of the run folder `run` into the new folder `output`.

    station: that inspected them. It knows all classes of its model and the size of the pictures that crops were cut
    from; without it the classes are those detected, and the size that of any whole frame of the run.
    Raises StorageError, ModelError, CalibrationError, or DatasetError when there is nothing to export.
    """
    chosen = sorted((line for line in read_decisions(run) if wanted.takes(line)), key=lambda line: line.seq)
    size, model = _picture_px(run, station), model_of(run)
    done = Exported(classes=_classes(run, chosen, wanted, station))
    with new_folder(output) as folder:
        (folder / IMAGES).mkdir()
        for line in chosen:
            _export_part(done, run, folder, line, wanted, size, model)
        if not done.pictures:
            raise DatasetError(run, f"nothing to export: {len(chosen)} parts wanted, pictures {_listed(done.without)}")
        _write(folder, done, layout)
    return done


def _export_part(
    done: Exported, run: Path, folder: Path, line: DecisionLine, wanted: Wanted, size: Size | None, model: str
) -> None:
    shown = [one for one in line.detections if wanted.shows(one)]
    count = len(done.pictures)
    missing: str = "crops of unknown place" if line.crops else line.picture
    try:
        for view in views(run, line, shown, size):
            done.pictures.append(_copied(run, folder, line, view, model))
            done.boxes.update(one.label for one in view.boxes)
    except (DatasetError, FileNotFoundError):  # a running line may have made room meanwhile
        missing = "removed or damaged"
    if len(done.pictures) > count:
        done.parts += 1
    else:
        done.without[missing] += 1


def _copied(run: Path, folder: Path, line: DecisionLine, view: View, model: str) -> ExportedPicture:
    data = (run / view.file).read_bytes()
    name = f"{_safe(run.resolve().name)}_{Path(view.file).name}"
    (folder / IMAGES / name).write_bytes(data)
    origin = Origin(run.resolve().name, line.seq, model, line.verdict, line.cause, line.source, view.corner)
    return ExportedPicture(name, hashlib.sha256(data).hexdigest(), *view.size, origin, view.boxes)


def _write(folder: Path, done: Exported, layout: Format) -> None:
    annotations = Annotations(done.classes, tuple(_picture(folder, one, done.classes) for one in done.pictures))
    if layout == "coco":
        write_coco(folder / COCO_FILE, annotations, [extra(one) for one in done.pictures])
    else:
        write_yolo(folder, annotations)
    manifest = Manifest(version=VERSION, exported=wall_time(), classes=done.classes, pictures=tuple(done.pictures))
    write_manifest(folder, manifest)


def extra(picture: ExportedPicture) -> dict[str, object]:
    """What a COCO entry says of its picture beside the usual."""
    return {"linewatch": msgspec.to_builtins(picture.origin)}


def _picture(folder: Path, one: ExportedPicture, classes: tuple[str, ...]) -> Picture:
    return Picture(folder / IMAGES / one.file, one.width, one.height, one.file, boxes_of(one, classes))


def _classes(run: Path, chosen: list[DecisionLine], wanted: Wanted, station: Station | None) -> tuple[str, ...]:
    """All classes of the model in its order, else those shown, sorted."""
    shown = {one.label for line in chosen for one in line.detections if wanted.shows(one)}
    if station is None:
        if chosen and not shown:
            raise DatasetError(run, "no detection names a class: the station file knows them (--station)")
        return tuple(sorted(shown))
    classes = detector_classes(station)
    for label in sorted(shown.difference(classes)):
        raise DatasetError(run, f"was detected here, but the station's model has {', '.join(classes)}", label)
    return classes


def _picture_px(run: Path, station: Station | None) -> Size | None:
    if station is not None:
        calibration = load_station_calibration(station)
        return (station.camera.width, station.camera.height) if calibration is None else calibration.rectified_px
    return next(_frame_sizes(run), None)


def _frame_sizes(run: Path) -> Iterator[Size]:
    """Of whole frames that were inspected; one that could not be may have any size."""
    for line in read_decisions(run):
        if line.frame is not None and not line.cause.is_failsafe:
            try:
                yield picture_size(run / line.frame)
            except DatasetError:
                continue


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name)
