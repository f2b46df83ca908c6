"""YOLOX (Megvii's code as packaged by pixeltable-yolox, Apache-2.0), with its own loss and SimOTA assignment.

The head computes in float32: its box coordinates would be off by pixels in bfloat16. Its L1 loss, which upstream adds
in the last 15 epochs without mosaic, stays off.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.accuracy.data import Data
from benchmarks.accuracy.subjects.boxes import centred, cornered, in_colour, suppressed
from benchmarks.accuracy.subjects.subject import Batch, Found, Subject, Unavailable

# (depth, width) as in upstream's experiments
_SIZES = {"s": (0.33, 0.50), "m": (0.67, 0.75), "l": (1.0, 1.0)}


class YoloXSubject(Subject):
    """architecture: `size`, s, m or l."""

    def __init__(self, data: Data, architecture: Mapping[str, Any], *, bf16: bool) -> None:
        try:
            from yolox.models import YoloPafpn, YoloxHead, YoloxModule
        except ImportError as exc:
            raise Unavailable(f"pixeltable-yolox cannot be imported: {exc}") from exc
        depth, width = _SIZES[architecture.get("size", "s")]
        network = YoloxModule(YoloPafpn(depth, width), YoloxHead(len(data.config.classes), width))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps, module.momentum = 1e-3, 0.03
        network.head.initialize_biases(1e-2)
        super().__init__(network, bf16=bf16)

    def loss(self, batch: Batch) -> Tensor:
        features = self._features(batch.pictures)
        most = max(1, *(len(labels) for labels in batch.labels))
        targets = torch.zeros(len(batch.labels), most, 5, device=batch.pictures.device)
        for target, boxes, labels in zip(targets, batch.boxes, batch.labels, strict=True):
            target[: len(labels)] = torch.cat([labels[:, None].float(), centred(boxes)], dim=1)
        with torch.autocast(batch.pictures.device.type, enabled=False):
            total: Tensor = self._head(features, targets, batch.pictures)[0]
        return total

    def detect(self, pictures: Tensor) -> list[Found]:
        features = self._features(pictures)
        with torch.autocast(pictures.device.type, enabled=False):
            out = self._head(features)
        return suppressed(cornered(out[..., :4]), out[..., 4:5] * out[..., 5:])

    @property
    def _head(self) -> Any:
        return self.network.head

    def _features(self, pictures: Tensor) -> list[Tensor]:
        backbone: Any = self.network.backbone
        with self.half(pictures.device):
            features = backbone(in_colour(pictures))
        return [level.float() for level in features]
