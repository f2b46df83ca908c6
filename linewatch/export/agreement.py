"""How far an ONNX file and torch are apart on the same pictures."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from linewatch.dsmoe.network import DsMoe
from linewatch.inspection.candidates import Floats
from linewatch.inspection.onnx_file import OnnxFile
from linewatch.pictures.types import Picture

SCORE_TOLERANCE = 1e-3
BOX_TOLERANCE_PX = 0.1
_COMPARED = 100  # strongest candidates of each picture


@dataclass(frozen=True)
class Agreement:
    """The largest differences over all pictures, in float32. score: 0 to 1; box_px: of any side, px of the input."""

    pictures: int
    score: float
    box_px: float

    @property
    def holds(self) -> bool:
        """False also when a difference is NaN."""
        return self.score <= SCORE_TOLERANCE and self.box_px <= BOX_TOLERANCE_PX


def agreement(file: OnnxFile, network: DsMoe, pictures: Iterable[Picture]) -> Agreement:
    """pictures: (3, S, S), as the network takes them."""
    apart = [_apart(file, network, picture[None]) for picture in pictures]
    score, box_px = np.max(np.array(apart), axis=0)  # NaN wins
    return Agreement(len(apart), float(score), float(box_px))


def _apart(file: OnnxFile, network: DsMoe, batch: Picture) -> tuple[float, float]:
    """Largest difference of score and of box on one picture."""
    found = file.run(batch)
    boxes, scores, labels = (found[name][0, :_COMPARED] for name in ("boxes", "scores", "labels"))
    with torch.no_grad():
        raw = network(torch.from_numpy(batch)).raw
        all_boxes, all_scores = raw.boxes()[0].numpy(), raw.logits[0].float().sigmoid().numpy()
    best = -np.sort(-all_scores.reshape(-1))[: len(scores)]
    score, box_px = _matched(boxes, scores, labels, all_boxes, all_scores)
    # Equal places in both orders, too: a candidate that only torch has would match nothing.
    return float(np.maximum(score, np.abs(scores - best).max())), box_px


def _matched(
    boxes: Floats, scores: Floats, labels: npt.NDArray[np.int64], all_boxes: Floats, all_scores: Floats
) -> tuple[float, float]:
    """The same over candidates (n), each against the place of torch's (N) that is most like it.

    Orders cannot be compared place by place: equal scores may change places.
    """
    score = np.abs(all_scores[:, labels].T - scores[:, None])  # (n, N)
    box_px = np.abs(all_boxes[None] - boxes[:, None]).max(-1)
    nearest = (score / SCORE_TOLERANCE + box_px / BOX_TOLERANCE_PX).argmin(1)
    rows = np.arange(len(scores))
    return float(score[rows, nearest].max()), float(box_px[rows, nearest].max())
