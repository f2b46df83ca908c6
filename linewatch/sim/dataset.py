"""Rendered bottle bottoms as a folder of pictures with COCO truth, to train and to evaluate on."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2

from linewatch.core.errors import StorageError
from linewatch.sim.render import render
from linewatch.sim.scene import CLASSES, describe

TRUTH = "annotations.json"


def write_dataset(
    folder: Path, *, seed: int, count: int, size_px: int = 448, defect_rate: float = 0.5
) -> Iterator[int]:
    """Write bottles 0 to count - 1 of `seed` into `folder`/images and their boxes into `folder`/annotations.json.

    Yields the number of each bottle written; the truth is written last. Raises StorageError.
    """
    images: list[dict[str, Any]] = []
    boxes: list[dict[str, Any]] = []
    pictures = folder / "images"
    _make(pictures)
    for index in range(count):
        shown = render(describe(seed, index, defect_rate), size_px)
        name = f"{seed:04d}_{index:06d}.png"
        if not cv2.imwrite(str(pictures / name), shown.pixels):
            raise StorageError(pictures / name, "cannot be written")
        images.append({"id": index + 1, "file_name": name, "width": size_px, "height": size_px})
        for truth in shown.truth:
            bbox = [round(value, 2) for value in (truth.x, truth.y, truth.w, truth.h)]
            category = CLASSES.index(truth.name) + 1
            boxes.append({"id": len(boxes) + 1, "image_id": index + 1, "category_id": category, "bbox": bbox,
                          "area": bbox[2] * bbox[3], "iscrowd": 0})  # fmt: skip
        yield index
    categories = [{"id": index + 1, "name": name} for index, name in enumerate(CLASSES)]
    document = {"info": {"seed": seed, "defect_rate": defect_rate}, "images": images, "annotations": boxes,
                "categories": categories}  # fmt: skip
    try:
        (folder / TRUTH).write_text(json.dumps(document), encoding="utf-8")
    except OSError as exc:
        raise StorageError(folder / TRUTH, exc.strerror or "cannot be written") from exc


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageError(folder, exc.strerror or "cannot be made") from exc
