"""Pictures in, boxes out: the conversions that the adapters share, and one suppression for all that need it."""

import torch
from torch import Tensor

from benchmarks.accuracy.subjects.subject import Found
from linewatch.dsmoe.head import suppress

MIN_SCORE = 0.01
NMS_IOU = 0.6
CANDIDATES = 1000
MOST = 100  # COCO counts no more in a picture


def in_colour(pictures: Tensor) -> Tensor:
    """(B, 3, H, W) float, 0 to 255, channels last."""
    return pictures.float().expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def suppressed(boxes: Tensor, scores: Tensor) -> list[Found]:
    """Non-maximum suppression per class, the same for all that need it. boxes: (B, N, 4); scores: (B, N, C)."""
    return [suppress(box, score) for box, score in zip(boxes, scores, strict=True)]


def centred(boxes: Tensor) -> Tensor:
    """x1, y1, x2, y2 as centre, width and height, (n, 4)."""
    return torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], dim=1)


def cornered(boxes: Tensor) -> Tensor:
    """Centre, width and height as x1, y1, x2, y2, (..., 4)."""
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)
