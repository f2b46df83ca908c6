"""Assignment and losses: where targets go, and that perfect predictions cost less."""

import pytest
import torch

from linewatch.dsmoe.criterion import assign
from linewatch.dsmoe.head import BINS, Raw, anchor_points, select


def raw_for(box: list[float], label: int, confidence: float = 8.0) -> Raw:
    """A head that predicts exactly `box` of `label` at every anchor point inside it, on a 64 x 64 px picture."""
    points, strides = anchor_points(64, 64, torch.device("cpu"))
    logits = torch.full((1, len(points), 3), -8.0)
    x1, y1, x2, y2 = box
    reach = torch.stack([points[:, 0] - x1, points[:, 1] - y1, x2 - points[:, 0], y2 - points[:, 1]], -1) / strides
    inside = (reach > 0).all(-1)
    logits[0, inside, label] = confidence
    reach = reach.clamp(0, BINS - 1.01)
    low = reach.long()
    share = (reach - low)[..., None]
    sides = torch.full((len(points), 4, BINS), -30.0)
    sides.scatter_(-1, low[..., None], (1 - share).clamp_min(1e-12).log())
    sides.scatter_(-1, low[..., None] + 1, share.clamp_min(1e-12).log())
    return Raw(logits, sides[None], points, strides)


def test_boxes_are_decoded_from_distributions() -> None:
    raw = raw_for([10, 12, 40, 44], 1)
    boxes, scores, labels = select(raw, min_score=0.5)[0]
    torch.testing.assert_close(boxes, torch.tensor([[10.0, 12, 40, 44]]), rtol=1e-3, atol=1e-2)
    assert labels.tolist() == [1] and scores[0] > 0.99


def test_targets_lie_inside_their_box_and_carry_their_class() -> None:
    raw = raw_for([10, 12, 40, 44], 1)
    assigned = assign(raw, [torch.tensor([[10.0, 12, 40, 44]])], [torch.tensor([1])])
    positive = assigned.positive[0]
    inside = raw.points[positive]
    assert 0 < int(positive.sum()) <= 10
    assert bool(((inside > torch.tensor([10.0, 12])) & (inside < torch.tensor([40.0, 44]))).all())
    assert assigned.scores[0, positive].argmax(-1).unique().tolist() == [1]


def test_a_place_serves_one_box_only() -> None:
    raw = raw_for([8, 8, 56, 56], 0)
    boxes = torch.tensor([[8.0, 8, 56, 56], [8, 8, 56, 52]])
    assigned = assign(raw, [boxes], [torch.tensor([0, 0])])
    assert bool((assigned.scores[0] > 0).sum(-1).max() == 1)


def test_a_good_part_has_no_targets() -> None:
    raw = raw_for([10, 12, 40, 44], 1)
    assigned = assign(raw, [torch.zeros(0, 4)], [torch.zeros(0, dtype=torch.long)])
    assert not bool(assigned.positive.any())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("where", ["logits", "sides"])
def test_a_number_that_is_not_finite_puts_the_picture_in_doubt(value: float, where: str) -> None:
    raw = raw_for([10, 12, 40, 44], 1)
    getattr(raw, where)[0, 5, 2] = value
    _, scores, _ = select(raw)[0]
    assert len(scores) == 1 and bool(scores.isnan().all())


def test_a_box_that_no_prediction_overlaps_still_teaches() -> None:
    raw = raw_for([10, 12, 40, 44], 1)  # elsewhere the predicted boxes are far away
    assigned = assign(raw, [torch.tensor([[46.0, 46, 62, 62]])], [torch.tensor([2])])
    assert bool(assigned.positive.any())
    assert float(assigned.scores[..., 2].max()) >= 0.1
