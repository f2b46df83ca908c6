"""Who works on what: load and entropy of the routers of a model over annotated pictures, and the experts of each class.

Every picture is routed as a whole and by itself on each scale, so that a class is served by the experts of the pictures
that it is found on; where all classes share all pictures, their rows are alike.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import numpy as np
import numpy.typing as npt
import torch

from linewatch.core.errors import DatasetError
from linewatch.dsmoe.network import DsMoe
from linewatch.dsmoe.pyramid import STRIDES
from linewatch.dsmoe.routing import Routing
from linewatch.training.annotations import Annotations

GOOD = "no defect"
_Floats = npt.NDArray[np.float64]


class ScaleRouting(msgspec.Struct, frozen=True):
    """One scale over all pictures.

    load_cv: standard deviation over mean of how many pictures each expert works on. entropy: of the routing
    probabilities, nats, mean over pictures; largest log N. experts_working: mean over pictures.
    load: share of the work of each expert. serves: rows of `RoutingFigures.rows`, mean gate of each expert; none where
    a row has no picture.
    """

    stride: int
    load_cv: float
    entropy: float
    experts_working: float
    load: list[float]
    serves: list[list[float] | None]


class RoutingFigures(msgspec.Struct, frozen=True):
    """load_cv, entropy: mean of the scales. rows: the classes, then good parts."""

    router: str
    pictures: int
    load_cv: float
    entropy: float
    rows: list[str]
    scales: list[ScaleRouting]


class RoutingLog:
    """The routings of pictures that pass a network while it is listened to, one list of each scale."""

    def __init__(self) -> None:
        self.scales: list[list[Routing]] = [[] for _ in STRIDES]

    @contextmanager
    def listening(self, network: DsMoe) -> Iterator[None]:
        """Take down what the routers of `network` decide while the block runs."""
        hooks = [
            router.register_forward_hook(self._taker(scale)) for scale, router in enumerate(network.router)
        ]  # fmt: skip
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _taker(self, scale: int) -> Callable[[torch.nn.Module, object, Routing], None]:
        return lambda _module, _given, routing: self.scales[scale].append(routing)


def routing_figures(truth: Annotations, log: RoutingLog, router: str) -> RoutingFigures:
    """Figures of what was taken down while every picture of `truth` passed in its order. Raises DatasetError."""
    weights = _row_weights(truth)
    scales = []
    for stride, routings in zip(STRIDES, log.scales, strict=True):
        gates, probabilities = _per_expert(routings)
        if len(gates) != len(truth.pictures) or not len(gates):
            raise DatasetError("routing", f"{len(gates)} routings were taken down", f"{len(truth.pictures)} pictures")
        scales.append(_scale(stride, gates, probabilities, weights))
    return RoutingFigures(
        router=router,
        pictures=len(truth.pictures),
        load_cv=float(np.mean([scale.load_cv for scale in scales])),
        entropy=float(np.mean([scale.entropy for scale in scales])),
        rows=[*truth.classes, GOOD],
        scales=scales,
    )


def _row_weights(truth: Annotations) -> _Floats:
    """(C + 1, P): boxes of each class on each picture; last row: 1 for a good part."""
    weights = np.zeros((len(truth.classes) + 1, len(truth.pictures)))
    for column, picture in enumerate(truth.pictures):
        for box in picture.boxes:
            weights[box.label, column] += 1
        weights[-1, column] = not picture.boxes
    return weights


def _per_expert(routings: list[Routing]) -> tuple[_Floats, _Floats]:
    """Gates (0 for who does not work) and probabilities, (P, N) each."""
    if not routings:
        return np.empty((0, 0)), np.empty((0, 0))
    gates = [torch.zeros_like(r.probabilities).scatter_(1, r.chosen, r.gates) for r in routings]
    both = torch.cat(gates), torch.cat([r.probabilities for r in routings])
    return both[0].double().cpu().numpy(), both[1].double().cpu().numpy()


def _scale(stride: int, gates: _Floats, probabilities: _Floats, weights: _Floats) -> ScaleRouting:
    works = (gates > 0).sum(0)
    logs = np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)
    serves = [None if not row.any() else (row @ gates / row.sum()).tolist() for row in weights]
    return ScaleRouting(
        stride=stride,
        load_cv=float(works.std() / works.mean()),
        entropy=float(-(probabilities * logs).sum(1).mean()),
        experts_working=float(works.sum() / len(gates)),
        load=(works / works.sum()).tolist(),
        serves=serves,
    )
