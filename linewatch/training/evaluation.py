"""How good a model is, box by box: COCO's average precision, and precision and recall at the acceptance threshold."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations
from linewatch.training.matching import Counts, Prediction, count_matches
from linewatch.training.whole_file import write_whole

_Floats = npt.NDArray[np.float64]


class ClassMetrics(msgspec.Struct, frozen=True):
    """ap50, ap50_95: average precision at IoU 0.5, and averaged over 0.5 to 0.95; none where no box is of this class.

    precision, recall: at the threshold, IoU 0.5; none without detections or boxes.
    """

    ap50: float | None
    ap50_95: float | None
    precision: float | None
    recall: float | None


class Metrics(msgspec.Struct, frozen=True):
    """map50, map50_95: mean of the classes that have boxes; none when none has.

    precision, recall: over all classes, of the detections that score `threshold` or more, IoU 0.5.
    """

    map50: float | None
    map50_95: float | None
    per_class: dict[str, ClassMetrics]
    precision: float | None
    recall: float | None
    threshold: float
    images: int
    boxes: int

    def write(self, path: Path) -> None:
        """Write as JSON. Raises StorageError."""
        write_whole(path, msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")


def evaluate(annotations: Annotations, predictions: Sequence[Sequence[Prediction]], threshold: float) -> Metrics:
    """Compare the detections of each picture with its boxes.

    predictions: one sequence per picture, in the order of the pictures: (class, score, x, y, w, h), px of the picture,
    best down to the lowest score that the average precision shall see (COCO counts the best 100 of a picture).
    threshold: acceptance threshold, 0 to 1. Raises DatasetError when the predictions do not fit the annotations.
    """
    _check(annotations, predictions, threshold)
    ap50, ap50_95 = _average_precision(annotations, predictions)
    counts = [_counts(annotations, predictions, label, threshold) for label in range(len(annotations.classes))]
    per_class = {
        name: ClassMetrics(_known(ap50[label]), _known(ap50_95[label]), counts[label].precision, counts[label].recall)
        for label, name in enumerate(annotations.classes)
    }
    every = sum(counts, Counts())
    return Metrics(
        map50=_mean(ap50),
        map50_95=_mean(ap50_95),
        per_class=per_class,
        precision=every.precision,
        recall=every.recall,
        threshold=threshold,
        images=len(annotations.pictures),
        boxes=annotations.boxes,
    )


def _check(annotations: Annotations, predictions: Sequence[Sequence[Prediction]], threshold: float) -> None:
    if not annotations.pictures:
        raise DatasetError("evaluation", "there are no pictures")
    if len(predictions) != len(annotations.pictures):
        reason = f"there must be one list of detections for each of {len(annotations.pictures)} pictures"
        raise DatasetError("evaluation", reason, len(predictions))
    if not 0 <= threshold <= 1:
        raise DatasetError("evaluation", "threshold must lie in 0 to 1", threshold)
    for picture, found in zip(annotations.pictures, predictions, strict=True):
        for detection in found:
            if not 0 <= detection[0] < len(annotations.classes) or not all(map(math.isfinite, detection)):
                raise DatasetError(picture.path, "detection of no known class or not finite", detection)


def _counts(
    annotations: Annotations, predictions: Sequence[Sequence[Prediction]], label: int, threshold: float
) -> Counts:
    pairs = zip(annotations.pictures, predictions, strict=True)
    return sum((count_matches(picture.boxes, found, label, threshold) for picture, found in pairs), Counts())


def _average_precision(
    annotations: Annotations, predictions: Sequence[Sequence[Prediction]]
) -> tuple[_Floats, _Floats]:
    """(C,) AP at IoU 0.5 and (C,) averaged over IoU 0.5 to 0.95; NaN for a class without boxes."""
    from faster_coco_eval import COCO, COCOeval_faster

    truth, found = COCO(_truth(annotations)), COCO(_found(annotations, predictions))
    run = COCOeval_faster(truth, found, "bbox", print_function=_silent)
    run.evaluate()
    run.accumulate()
    # (IoU, recall, class, area, detections): all areas, the best 100 detections; -1 where a class has no boxes
    precision = run.eval["precision"][:, :, :, 0, -1].astype(np.float64)
    precision[precision < 0] = np.nan
    return precision[0].mean(axis=0), precision.mean(axis=(0, 1))


def _truth(annotations: Annotations) -> dict[str, Any]:
    boxes = [
        _record(image, box.label, (box.x, box.y, box.w, box.h))
        for image, picture in enumerate(annotations.pictures, start=1)
        for box in picture.boxes
    ]
    return _dataset(annotations, boxes)


def _found(annotations: Annotations, predictions: Sequence[Sequence[Prediction]]) -> dict[str, Any]:
    boxes = [
        {**_record(image, label, (x, y, w, h)), "score": float(score)}
        for image, found in enumerate(predictions, start=1)
        for label, score, x, y, w, h in found
    ]
    return _dataset(annotations, boxes)


def _record(image: int, label: int, bbox: tuple[float, float, float, float]) -> dict[str, Any]:
    x, y, w, h = map(float, bbox)
    return {"image_id": image, "category_id": int(label) + 1, "bbox": [x, y, w, h], "area": w * h, "iscrowd": 0}


def _dataset(annotations: Annotations, records: list[dict[str, Any]]) -> dict[str, Any]:
    """A COCO document; ids count from 1, because COCO's matching takes 0 for: not matched."""
    return {
        "images": [
            {"id": image, "width": picture.width, "height": picture.height}
            for image, picture in enumerate(annotations.pictures, start=1)
        ],
        "categories": [{"id": label, "name": name} for label, name in enumerate(annotations.classes, start=1)],
        "annotations": [{**record, "id": number} for number, record in enumerate(records, start=1)],
    }


def _silent(*_: object) -> None:
    """The library reports its progress here; ours goes to the terminal once, at the end."""


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _mean(values: _Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None
