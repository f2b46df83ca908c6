"""A network of the user's own as a detector: an ONNX file behind the same interface as DS-MoE, without torch."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from linewatch.core.detectors import OnnxDetector as Config
from linewatch.core.errors import ModelError
from linewatch.core.messages import Detection
from linewatch.inspection.candidates import Candidates
from linewatch.inspection.fitting import Fitting
from linewatch.inspection.onnx_file import OnnxFile
from linewatch.inspection.onnx_outputs import DECODERS, OVERLAP_FREE, Meaning, Misfit, Outputs, is_sound
from linewatch.pictures.types import Picture


class OnnxDetector:
    """An opened file and what its numbers mean."""

    def __init__(self, file: OnnxFile, config: Config, fitting: Fitting) -> None:
        self._file = file
        self._config = config
        self._fitting = fitting
        self._meaning = Meaning(config.output, len(config.classes), config.min_score, fitting.side_px)
        self._name = f"{config.model.name} {file.digest[:12]} on cpu"
        scale = np.float32(config.scale)
        mean, deviation = np.array(config.mean, np.float32), np.array(config.std, np.float32)
        self._factor, self._offset = scale / deviation, -mean / deviation

    @classmethod
    def open(cls, config: Config, channels: int) -> "OnnxDetector":
        """The detector that a station names. channels: of the camera, 1 grey or 3 RGB.

        Raises ModelError when the file is unusable or is not what the station says it is.
        """
        file = OnnxFile(config.model, config.threads)
        _require_fitting(file, config, channels)
        side_px = file.takes.side_px or config.input_px
        if side_px is None:
            raise ModelError(f"{config.model}: {file.takes.name}", "leaves its size open: name detector.input_px")
        return cls(file, config, Fitting(config.fit, side_px, config.fill))

    @property
    def classes(self) -> tuple[str, ...]:
        return self._config.classes

    @property
    def name(self) -> str:
        return self._name

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        return (self._file.takes.batch or 1,)

    def warm_up(self) -> None:
        """Run it twice. Raises ModelError when that fails, or its outputs are not what the station says they are."""
        side_px = self._fitting.side_px
        grey = np.full((side_px, side_px), 128, np.uint8)
        try:
            for _ in range(2):  # the first run allocates, the second shows what a part will find
                found = self.detect([grey] * self.batch_sizes[-1])
        except Misfit as exc:
            raise ModelError(f"{self._config.model}: {exc.name}", exc.reason, exc.value) from exc
        except Exception as exc:  # ONNX Runtime has a type for each reason, with no base of their own
            raise ModelError(self._config.model, f"the network does not run: {exc}") from exc
        if any(math.isnan(d.score) for some in found for d in some):
            raise ModelError(self._config.model, "the network gives numbers that are not finite")

    def detect(self, pictures: Sequence[Picture]) -> list[tuple[Detection, ...]]:
        takes, side_px = self._file.takes, self._fitting.side_px
        batch = np.zeros((self.batch_sizes[-1], takes.channels, side_px, side_px), takes.dtype)
        for row, picture in enumerate(pictures):
            batch[row] = self._prepared(picture)
        outputs = self._file.run(batch)
        return [self._detections(_row(outputs, row, len(batch)), picture) for row, picture in enumerate(pictures)]

    def _prepared(self, picture: Picture) -> npt.NDArray[Any]:
        """(channels, side, side) as the file takes it."""
        square = self._fitting.square(picture)
        if square.shape[2] == 3 and self._config.colour == "bgr":
            square = square[:, :, ::-1]
        takes = self._file.takes
        if takes.dtype == np.uint8:
            return square.transpose(2, 0, 1)  # one grey channel fills three
        count = takes.channels
        scaled: npt.NDArray[Any] = square * self._factor[:count] + self._offset[:count]
        return scaled.transpose(2, 0, 1)

    def _detections(self, outputs: Outputs, picture: Picture) -> tuple[Detection, ...]:
        if not is_sound(outputs):
            return (Detection(self.classes[0], math.nan, 0.0, 0.0, 0.0, 0.0),)  # the part is in doubt
        found = DECODERS[self._config.output](outputs, self._meaning)
        found = found.strongest(self._config.min_score)
        found = found.best() if self._config.output in OVERLAP_FREE else found.without_overlaps(self._config.iou)
        boxes = self._fitting.back(found.boxes, picture.shape[0], picture.shape[1])
        return self._named(Candidates(boxes, found.scores, found.labels))

    def _named(self, found: Candidates) -> tuple[Detection, ...]:
        rows = zip(found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True)
        return tuple(
            Detection(self.classes[label], score, left, top, right - left, bottom - top)
            for (left, top, right, bottom), score, label in rows
        )


def _row(outputs: Outputs, row: int, batch: int) -> Outputs:
    """The outputs of one picture of the batch."""
    for name, values in outputs.items():
        if values.ndim == 0 or len(values) != batch:
            raise Misfit(name, f"must begin with the batch, {batch}", values.shape)
    return {name: values[row] for name, values in outputs.items()}


def _require_fitting(file: OnnxFile, config: Config, channels: int) -> None:
    """Raises ModelError where file and station contradict each other before anything has run."""
    takes, where = file.takes, f"{file.path}: {file.takes.name}"
    if config.input_px not in (None, takes.side_px) and takes.side_px is not None:
        raise ModelError(where, f"is {takes.side_px} px, not detector.input_px", config.input_px)
    if channels > takes.channels:
        raise ModelError(where, "takes grey pictures: set camera.grey: true", f"{channels} channels")
    scaling = config.model_fields_set & {"scale", "mean", "std"}
    if takes.dtype == np.uint8 and scaling:
        raise ModelError(where, f"takes uint8 pixels as they are: remove detector.{min(scaling)}")
    count, ours = file.class_count(), file.linewatch_classes()
    if count not in (None, len(config.classes)):
        raise ModelError(file.path, f"has {count} classes, not as many as detector.classes", len(config.classes))
    if ours not in (None, config.classes):
        raise ModelError(file.path, f"its classes are {', '.join(ours or ())}", ", ".join(config.classes))
