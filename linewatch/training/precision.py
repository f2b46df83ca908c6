"""bf16 or float32: what a model computes in at inspection, by what bf16 costs on pictures it never learnt from."""

from collections.abc import Sequence
from dataclasses import dataclass

from linewatch.dsmoe.network import DsMoe
from linewatch.dsmoe.weights import Precision
from linewatch.training.annotations import Annotations
from linewatch.training.evaluating import predictions
from linewatch.training.evaluation import evaluate
from linewatch.training.matching import Prediction

MOST_LOST = 0.005  # of mAP50:95; a bf16 that costs more is not inspected with


@dataclass(frozen=True)
class PrecisionChoice:
    """precision: what to inspect in. measured: mAP50:95 of either. found: the detections of the one that was chosen."""

    precision: Precision
    measured: dict[Precision, float]
    found: list[list[Prediction]]


def choose_precision(network: DsMoe, truth: Annotations, input_px: int) -> PrecisionChoice:
    """Run the pictures of `truth` in both; bf16, unless it loses more than MOST_LOST."""
    half, full = (predictions(network, truth, input_px, precision=precision) for precision in ("bf16", "fp32"))
    measured: dict[Precision, float] = {"bf16": _worth(truth, half), "fp32": _worth(truth, full)}
    if measured["fp32"] - measured["bf16"] > MOST_LOST:
        return PrecisionChoice("fp32", measured, full)
    return PrecisionChoice("bf16", measured, half)


def _worth(truth: Annotations, found: Sequence[Sequence[Prediction]]) -> float:
    return evaluate(truth, found, threshold=0.5).map50_95 or 0.0
