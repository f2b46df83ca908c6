"""YOLOv8 by ultralytics (AGPL-3.0), the bare DetectionModel with its own v8DetectionLoss; never part of linewatch.

Boxes are decoded and the loss is taken in float32: in bfloat16 ultralytics' coordinates would be off by pixels.
"""

import os
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from benchmarks.accuracy.data import Data
from benchmarks.accuracy.subjects.boxes import centred, in_colour, suppressed
from benchmarks.accuracy.subjects.subject import Batch, Found, Subject, Unavailable
from linewatch.dsmoe.head import BINS, Raw, anchor_points

# ultralytics' own gains (cfg/default.yaml)
_GAINS = SimpleNamespace(box=7.5, cls=0.5, dfl=1.5)


class YoloV8Subject(Subject):
    """architecture: `size`, n to x."""

    def __init__(self, data: Data, architecture: Mapping[str, Any], *, bf16: bool) -> None:
        os.environ.setdefault("YOLO_OFFLINE", "true")  # no look-ups, no usage reports
        os.environ.setdefault("YOLO_AUTOINSTALL", "false")
        os.environ.setdefault("YOLO_VERBOSE", "false")
        try:
            from ultralytics.nn.tasks import DetectionModel
            from ultralytics.utils.loss import v8DetectionLoss
        except ImportError as exc:
            raise Unavailable(f"ultralytics cannot be imported: {exc}") from exc
        size = architecture.get("size", "n")
        network = DetectionModel(f"yolov8{size}.yaml", ch=3, nc=len(data.config.classes), verbose=False)
        network.args = _GAINS
        super().__init__(network, bf16=bf16)
        self._loss_class = v8DetectionLoss
        self._criterion: Any = None

    def loss(self, batch: Batch) -> Tensor:
        if self._criterion is None:  # it takes the device that the network is on
            self._criterion = self._loss_class(self.network)
        device, side = batch.pictures.device, batch.pictures.shape[-1]
        with self.half(device):
            output = self.network(in_colour(batch.pictures) / 255)
        counts = torch.tensor([len(labels) for labels in batch.labels], device=device)
        target = {
            "batch_idx": torch.repeat_interleave(torch.arange(len(counts), device=device), counts).float(),
            "cls": torch.cat(batch.labels).float(),
            "bboxes": centred(torch.cat(batch.boxes)) / side,
        }
        with torch.autocast(device.type, enabled=False):
            parts: Tensor = self._criterion(_in_float(output), target)[0]
        return parts.sum()

    def detect(self, pictures: Tensor) -> list[Found]:
        network: Any = self.network
        network.model[-1].training = True  # then it leaves the decoding to us; the layers in it stay in eval mode
        with self.half(pictures.device):
            output = _in_float(self.network(in_colour(pictures) / 255))
        sides = output["boxes"].unflatten(1, (4, BINS)).permute(0, 3, 1, 2)
        points, strides = anchor_points(pictures.shape[2], pictures.shape[3], pictures.device)
        raw = Raw(output["scores"].transpose(1, 2), sides, points, strides)
        return suppressed(raw.boxes(), raw.logits.sigmoid())


def _in_float(output: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "boxes": output["boxes"].float(),
        "scores": output["scores"].float(),
        "feats": [features.float() for features in output["feats"]],
    }
