"""What a model is worth: box by box (COCO) and part by part (escapes, false rejects), on pictures it never saw."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import torch

from linewatch.core.errors import DatasetError
from linewatch.dsmoe.network import DsMoe
from linewatch.dsmoe.weights import Precision, load_model
from linewatch.training.annotations import Annotations
from linewatch.training.evaluation import Metrics, evaluate
from linewatch.training.importing import load_annotations
from linewatch.training.matching import Prediction
from linewatch.training.part_level import OperatingPoint, curve
from linewatch.training.predicting import predict
from linewatch.training.reading import read_all
from linewatch.training.routing_figures import RoutingFigures, RoutingLog, routing_figures
from linewatch.training.routing_map import draw_routing_map
from linewatch.training.whole_file import make_folder, write_whole

DEFAULT_THRESHOLD = 0.4


def evaluate_model(
    model: Path, annotations: Path, images: Path | None, output: Path, *, threshold: float | None = None,
    device: str = "auto", precision: Precision | None = None, routing: Path | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Metrics:  # fmt: skip
    """Run the model in folder `model` over annotated pictures and write the metrics to `output` as JSON.

    threshold: acceptance threshold, 0 to 1. Without it, or without `precision`, those of the model card count.
    routing: folder for figures and map of who works on what; none makes none. Raises ModelError, DatasetError,
    StorageError.
    """
    target = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    loaded = load_model(model, target)
    truth = load_annotations(annotations, images, classes=loaded.card.classes)
    log = RoutingLog()
    with log.listening(loaded.network):
        chosen_precision = precision or loaded.card.precision
        found = predictions(loaded.network, truth, loaded.card.input_size, tick, precision=chosen_precision)
    if routing is not None:
        _write_routing(routing_figures(truth, log, loaded.card.architecture.router), routing)
    chosen = loaded.card.threshold if threshold is None else threshold
    metrics = evaluate(truth, found, DEFAULT_THRESHOLD if chosen is None else chosen)
    metrics.write(output)
    return metrics


def _write_routing(figures: RoutingFigures, folder: Path) -> None:
    make_folder(folder)
    write_whole(folder / "routing.json", msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    draw_routing_map(figures, folder / "routing.png")


def predictions(
    network: DsMoe, truth: Annotations, input_px: int, tick: Callable[[], None] = lambda: None, *,
    precision: Precision = "bf16",
) -> list[list[Prediction]]:  # fmt: skip
    """Detections on every picture of `truth`, in its order."""
    return predict(network, read_all(truth)[0], input_px, tick, precision=precision)


def part_scores(truth: Annotations, found: Sequence[Sequence[Prediction]]) -> tuple[list[float], list[float]]:
    """Highest score on each good part and on each bad one. Raises DatasetError when either kind is missing."""
    good: list[float] = []
    bad: list[float] = []
    for picture, detections in zip(truth.pictures, found, strict=True):
        (bad if picture.boxes else good).append(max((score for _, score, *_ in detections), default=0.0))
    if not good or not bad:
        raise DatasetError("part level", f"needs good and bad parts, has {len(good)} good and {len(bad)} bad")
    return good, bad


def at_threshold(truth: Annotations, found: Sequence[Sequence[Prediction]], threshold: float) -> OperatingPoint:
    """Escapes and false rejects of `truth` at a threshold that was chosen elsewhere."""
    points = curve(*part_scores(truth, found))
    return next(point for point in points if point.low < threshold <= point.high)
