"""What the outputs of users' networks mean: one function for each word of `detector.output`.

Each takes the outputs of one picture, by name and in the file's order, without their batch axis, and gives its
candidates above the lowest score, in px of the network's square input. Wrong shapes and values are a Misfit: a wrong
file when the network is warmed up, a model_error of the parts concerned later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from linewatch.core.detectors import Output
from linewatch.inspection.candidates import Candidates, Floats, corners, from_scores

Outputs = Mapping[str, Floats]

_SLACK = 1e-3  # half precision may round a probability to a little more than 1


@dataclass(frozen=True)
class Meaning:
    """What the station says of the outputs. classes: how many; side_px: of the network's input."""

    output: Output
    classes: int
    min_score: float
    side_px: int


Decode = Callable[[Outputs, Meaning], Candidates]


class Misfit(Exception):
    """An output is not what `detector.output` and `detector.classes` say. name: of the output; value: what it is."""

    def __init__(self, name: str, reason: str, value: object) -> None:
        super().__init__(f"{name}: {value}: {reason}")
        self.name, self.reason, self.value = name, reason, value


def is_sound(outputs: Outputs) -> bool:
    """Whether every number is finite. A NaN would be dropped by the first comparison of scores, so look before it."""
    return all(bool(np.isfinite(values).all()) for values in outputs.values())


def _yolo(outputs: Outputs, meaning: Meaning) -> Candidates:
    values = _first(outputs, (4 + meaning.classes, None), meaning).T
    return from_scores(corners(values[:, :4]), _probabilities(outputs, values[:, 4:]), meaning.min_score)


def _yolo_objectness(outputs: Outputs, meaning: Meaning) -> Candidates:
    values = _first(outputs, (None, 5 + meaning.classes), meaning)
    certain = _probabilities(outputs, values[:, 4:])
    return from_scores(corners(values[:, :4]), certain[:, :1] * certain[:, 1:], meaning.min_score)


def _yolo_end_to_end(outputs: Outputs, meaning: Meaning) -> Candidates:
    values = _first(outputs, (None, 6), meaning)
    scores = _probabilities(outputs, values[:, 4])
    used = values[scores > meaning.min_score]  # what fills the table up may have any class number
    return Candidates(used[:, :4], used[:, 4], _labels(next(iter(outputs)), used[:, 5], meaning))


def _detr(outputs: Outputs, meaning: Meaning) -> Candidates:
    name, classes = _only(outputs, "logit"), meaning.classes
    logits, boxes = outputs[name], _shaped(outputs, _only(outputs, "box"), (None, 4), meaning)
    if logits.shape not in ((len(boxes), classes), (len(boxes), classes + 1)):
        wanted = f"with {classes} classes must be (batch, {len(boxes)}, {classes} or {classes + 1})"
        raise Misfit(name, f"`output: {meaning.output}` {wanted}", _shown(logits))
    shares = _sigmoid(logits) if logits.shape[1] == classes else _softmax(logits)[:, :classes]
    return from_scores(corners(boxes) * meaning.side_px, shares, meaning.min_score)


def _linewatch(outputs: Outputs, meaning: Meaning) -> Candidates:
    for name in ("boxes", "scores", "labels"):
        if name not in outputs:
            raise Misfit("outputs", f"`output: {meaning.output}` has no {name}", ", ".join(outputs))
    boxes = _shaped(outputs, "boxes", (None, 4), meaning)
    scores = _probabilities(outputs, _shaped(outputs, "scores", (len(boxes),), meaning))
    labels = _shaped(outputs, "labels", (len(boxes),), meaning)
    return Candidates(boxes, scores, _labels("labels", labels, meaning))


DECODERS: Mapping[Output, Decode] = {
    "yolo": _yolo,
    "yolo_objectness": _yolo_objectness,
    "yolo_end_to_end": _yolo_end_to_end,
    "detr": _detr,
    "linewatch": _linewatch,
}
OVERLAP_FREE: frozenset[Output] = frozenset({"yolo_end_to_end", "detr"})


def _first(outputs: Outputs, shape: tuple[int | None, ...], meaning: Meaning) -> Floats:
    return _shaped(outputs, next(iter(outputs)), shape, meaning)


def _shaped(outputs: Outputs, name: str, shape: tuple[int | None, ...], meaning: Meaning) -> Floats:
    """The output `name`, whose shape must be `shape` (None: any)."""
    values = outputs[name]
    if values.ndim == len(shape) and all(w in (None, s) for w, s in zip(shape, values.shape, strict=True)):
        return values
    wanted = ", ".join("n" if side is None else str(side) for side in shape)
    reason = f"`output: {meaning.output}` with {meaning.classes} classes must be (batch, {wanted})"
    raise Misfit(name, reason, _shown(values))


def _shown(values: Floats) -> str:
    return f"({', '.join(['batch', *map(str, values.shape)])})"


def _only(outputs: Outputs, part: str) -> str:
    """The name of the one output that has `part` in it."""
    names = [name for name in outputs if part in name.lower()]
    if len(names) != 1:
        raise Misfit("outputs", f"`output: detr` needs one with {part!r} in its name", ", ".join(outputs))
    return names[0]


def _probabilities(outputs: Outputs, scores: Floats) -> Floats:
    """The scores, which must lie in 0 to 1: logits would turn nearly nothing into certainty."""
    low, high = float(scores.min(initial=0)), float(scores.max(initial=0))
    if low < -_SLACK or high > 1 + _SLACK:
        wrong = low if low < -_SLACK else high
        raise Misfit(next(iter(outputs)), "scores must be probabilities, 0 to 1", f"{wrong:.4g}")
    return scores


def _labels(name: str, numbers: npt.NDArray[np.generic], meaning: Meaning) -> npt.NDArray[np.int64]:
    labels = numbers.astype(np.int64)
    wrong = (labels != numbers) | (labels < 0) | (labels >= meaning.classes)
    if wrong.any():
        raise Misfit(name, f"class numbers must be 0 to {meaning.classes - 1}", f"{numbers[wrong][0]:g}")
    return labels


def _sigmoid(logits: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)  # the form that cannot overflow


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)
