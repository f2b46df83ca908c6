"""What is measured on a trained network: accuracy on the held-out pictures, size, arithmetic, and who routed what."""

from collections.abc import Callable

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.accuracy.data import Part
from benchmarks.accuracy.results import PartLevel, RoutingUse
from benchmarks.accuracy.subjects.subject import Subject
from linewatch.training.evaluating import part_scores
from linewatch.training.matching import Prediction
from linewatch.training.part_level import choose_threshold
from linewatch.training.predicting import fitted
from linewatch.training.routing_figures import RoutingLog, routing_figures


@torch.inference_mode()
def predictions(
    subject: Subject, part: Part, input_px: int, device: torch.device, tick: Callable[[], None] = lambda: None
) -> list[list[Prediction]]:
    """Detections on whole pictures, resized to fit a square of `input_px`, in px of the picture, best first."""
    found = []
    for picture in part.pixels:
        square, scale = fitted(picture, input_px)
        boxes, scores, labels = subject.detect(torch.from_numpy(square)[None, None].to(device))[0]
        found.append(
            [
                (label, score, x1 / scale, y1 / scale, (x2 - x1) / scale, (y2 - y1) / scale)
                for (x1, y1, x2, y2), score, label in zip(
                    boxes.float().tolist(), scores.float().tolist(), labels.tolist(), strict=True
                )
            ]
        )
        tick()
    return found


@torch.inference_mode()
def gflops(subject: Subject, input_px: int, device: torch.device) -> float:
    """10^9 floating point operations for one picture: products and convolutions, two for each multiply and add.

    Bilinear sampling (DS-MoE's alignment, D-FINE's attention) and elementwise work are not in it.
    """
    picture = torch.zeros(1, 1, input_px, input_px, dtype=torch.uint8, device=device)
    with FlopCounterMode(display=False) as counter:
        subject.detect(picture)
    return float(counter.get_total_flops()) / 1e9


def part_level(part: Part, found: list[list[Prediction]]) -> PartLevel | None:
    """False rejects when no bad part may pass; none where the held-out pictures are not both good and bad."""
    good = sum(not picture.boxes for picture in part.truth.pictures)
    if good in (0, len(part.truth.pictures)):
        return None
    point = choose_threshold(*part_scores(part.truth, found), max_escape=0.0).point
    return PartLevel(
        point.threshold, point.escapes.count, point.escapes.total, point.false_rejects.count, point.false_rejects.total
    )


def routing_use(part: Part, log: RoutingLog) -> RoutingUse:
    """Which expert works on what, from what was taken down while every picture of `part` passed in its order."""
    figures = routing_figures(part.truth, log, router="")
    nobody = [0.0] * len(figures.scales[0].load)
    serves = np.array([[row or nobody for row in scale.serves[:-1]] for scale in figures.scales])
    return RoutingUse(figures.load_cv, figures.entropy, serves.mean(0).tolist())
