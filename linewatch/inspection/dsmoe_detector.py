"""DS-MoE as a detector, at one fixed batch shape; the only file of this package that loads torch."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import structlog
import torch
from torch import Tensor

from linewatch.core.detectors import DsmoeDetector as DetectorConfig
from linewatch.core.errors import DeviceError, ModelError
from linewatch.core.messages import Detection
from linewatch.dsmoe.graph import Graph
from linewatch.dsmoe.weights import LoadedModel, load_model
from linewatch.inspection.letterbox import letterbox, scale_into
from linewatch.pictures.types import Picture

log = structlog.get_logger()


class DsmoeDetector:
    """A loaded network behind the Detector interface."""

    def __init__(self, model: LoadedModel, device: torch.device, batch_size: int, channels: int) -> None:
        """batch_size: the one batch shape that is ever run; smaller batches are filled up with black pictures.

        Another shape may choose another kernel and change last digits, and a part's verdict must not depend on how many
        neighbours happened to wait with it.
        """
        self._model = model
        self._device = device
        self._batch_size = batch_size
        self._channels = channels
        self._graph: Graph | None = None

    @classmethod
    def open(cls, config: DetectorConfig, channels: int) -> "DsmoeDetector":
        """The detector that a station names. channels: 1 grey or 3 RGB.

        Raises ModelError when the model folder is unusable, DeviceError when the station's GPU is not there.
        """
        device = choose_device(config.device)
        torch.set_num_threads(config.threads or max(1, (os.cpu_count() or 1) - 1))
        model = load_model(Path(config.model), str(device))
        return cls(model, device, config.max_batch if device.type == "cuda" else 1, channels)

    @property
    def classes(self) -> tuple[str, ...]:
        return self._model.card.classes

    @property
    def name(self) -> str:
        how = "" if self._graph is None else ", recorded"
        return f"{self._model.card.name} {self._model.card.sha256[:12]} on {self._device}{how}"

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        return (self._batch_size,)

    def warm_up(self) -> None:
        """Run it twice, on a GPU record it.

        Raises ModelError when it fails or gives no finite numbers, DeviceError without memory.
        """
        side = self._model.card.input_size
        shape = (side, side) if self._channels == 1 else (side, side, 3)
        try:
            for _ in range(2):  # the first run allocates and chooses, the second shows what a part will find
                found = self.detect([np.full(shape, 128, np.uint8)] * self._batch_size)
        except torch.OutOfMemoryError as exc:
            raise DeviceError("detector.device", f"has too little memory: {exc}", str(self._device)) from exc
        except RuntimeError as exc:
            raise ModelError(self.name, f"the network does not run: {exc}") from exc
        if not all(math.isfinite(d.score + d.x + d.y + d.width + d.height) for some in found for d in some):
            raise ModelError(self.name, "the network gives numbers that are not finite: its weights are damaged")
        if self._device.type == "cuda":
            self._graph = recorded(self._model, self._batch_size, self._channels)

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        side = self._model.card.input_size
        batch = np.zeros((self._batch_size, self._channels, side, side), dtype=np.uint8)
        for row, picture in enumerate(pictures):
            batch[row] = letterbox(picture, side)
        pixels = torch.from_numpy(batch)
        found = self._graph.detect(pixels) if self._graph else self._model.detect(pixels.to(self._device))
        return [
            self._detections(boxes / scale_into(picture.shape[0], picture.shape[1], side), scores, labels)
            for picture, (boxes, scores, labels) in zip(pictures, found, strict=False)  # found has the filling too
        ]

    def _detections(self, boxes: Tensor, scores: Tensor, labels: Tensor) -> tuple[Detection, ...]:
        rows = zip(boxes.tolist(), scores.tolist(), labels.tolist(), strict=True)
        return tuple(
            Detection(self.classes[label], score, left, top, right - left, bottom - top)
            for (left, top, right, bottom), score, label in rows
        )


def recorded(model: LoadedModel, batch_size: int, channels: int) -> Graph | None:
    """The network as a CUDA graph; none, and a warning, where it cannot be recorded or does not find the same."""
    try:
        graph = Graph(model, batch_size, channels)
        reason = "" if graph.agrees() else "gives other numbers than the network run step by step"
    except RuntimeError as exc:
        reason = str(exc).partition("\n")[0]
    if reason:
        log.warning("graph_refused", reason=reason)
        return None
    return graph


def choose_device(wanted: str) -> torch.device:
    """The device for `auto`, `cpu` or `cuda`. Raises DeviceError when cuda is asked for and there is none."""
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise DeviceError("detector.device", "there is no CUDA device on this machine", wanted)
    return torch.device("cuda" if available and wanted != "cpu" else "cpu")
