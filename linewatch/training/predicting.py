"""Detections of a network on whole pictures, in the form that the evaluation reads."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch

from linewatch.dsmoe.head import select
from linewatch.dsmoe.network import DsMoe
from linewatch.dsmoe.weights import Precision
from linewatch.pictures.types import Picture
from linewatch.training.matching import Prediction


@torch.inference_mode()
def predict(
    network: DsMoe, pictures: Sequence[Picture], input_px: int, tick: Callable[[], None] = lambda: None, *,
    precision: Precision = "bf16",
) -> list[list[Prediction]]:  # fmt: skip
    """pictures: (H, W) uint8 each. Returns per picture (class index, score, x, y, w, h), px of it, best first."""
    device = network.mean.device
    found = []
    for picture in pictures:
        square, scale = fitted(picture, input_px)
        batch = torch.from_numpy(square)[None, None].to(device)
        with torch.autocast(device.type, torch.bfloat16, precision == "bf16"):
            raw = network(batch).raw
        boxes, scores, labels = select(raw)[0]
        found.append(
            [
                (label, score, x1 / scale, y1 / scale, (x2 - x1) / scale, (y2 - y1) / scale)
                for (x1, y1, x2, y2), score, label in zip(boxes.tolist(), scores.tolist(), labels.tolist(), strict=True)
            ]
        )
        tick()
    return found


def fitted(picture: Picture, side: int) -> tuple[Picture, float]:
    """The picture, resized to fit, in the upper left corner of a black square of `side` px; and the factor."""
    height, width = picture.shape
    scale = side / max(height, width)
    if scale != 1:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        picture = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=method).astype(
            np.uint8
        )
    square = np.zeros((side, side), np.uint8)
    square[: picture.shape[0], : picture.shape[1]] = picture
    return square, scale
