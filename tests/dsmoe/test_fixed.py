"""Suppression at fixed shapes says what the ordinary one says, and when it does not know."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from linewatch.dsmoe.fixed import suppress_fixed, unpack
from linewatch.dsmoe.head import BINS, Raw, anchor_points, select
from linewatch.dsmoe.network import Architecture, DsMoe
from linewatch.dsmoe.weights import LoadedModel, load_model, save_model

SIDE_PX = 96
Found = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "lift_fresh", "item", "equal", "unique", "bincount")


class Asked(TorchDispatchMode):
    """Names of the operators that ran and need the host: a CUDA graph cannot hold them."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        masks = name == "index" and any(part is not None and part.dtype == torch.bool for part in args[1])
        if name in WAITS or masks:
            self.waits.append(name)
        return func(*args, **(kwargs or {}))


def crowded(seed: int, classes: int = 3) -> Raw:
    """Boxes of several strides' size at every point, so that they overlap many times over."""
    drawn = torch.Generator().manual_seed(seed)
    points, strides = anchor_points(SIDE_PX, SIDE_PX, torch.device("cpu"))
    logits = 3 * torch.randn(2, len(points), classes, generator=drawn)
    sides = 4 * torch.randn(2, len(points), 4, BINS, generator=drawn)
    return Raw(logits, sides, points, strides)


def same(found: list[Found], wanted: list[Found]) -> bool:
    pairs = zip(found, wanted, strict=True)
    return all(torch.equal(a, b) for got, meant in pairs for a, b in zip(got, meant, strict=True))


@pytest.mark.parametrize("seed", range(8))
def test_it_keeps_what_greedy_suppression_keeps(seed: int) -> None:
    raw = crowded(seed)
    found = suppress_fixed(raw)
    assert found.sure.all()
    assert not found.kept.all()
    assert same(unpack(found, raw), select(raw))


def test_a_picture_that_is_not_settled_is_suppressed_the_ordinary_way() -> None:
    raw = crowded(0)
    found = suppress_fixed(raw, rounds=1)
    assert not found.sure.any()
    assert same(unpack(found, raw), select(raw))


def test_a_number_that_is_not_finite_puts_its_own_picture_in_doubt() -> None:
    raw = crowded(1)
    raw.logits[1, 5, 0] = torch.inf
    found = suppress_fixed(raw)
    assert found.sure.tolist() == [True, False]
    whole, doubtful = unpack(found, raw)
    assert whole[1].isfinite().all()
    assert doubtful[1].isnan().all()


def written(folder: Path, router: Any) -> LoadedModel:
    torch.manual_seed(3)
    architecture = Architecture(classes=2, width=32, router=router)
    card = {"name": "random", "classes": ["a", "b"], "input_px": SIDE_PX}
    save_model(folder, DsMoe(architecture), architecture, card)
    return load_model(folder)


@pytest.mark.parametrize("router", ["text", "ida", "text_ida", "dense"])
def test_nothing_from_pixels_to_suppressed_boxes_waits_for_the_host(router: str, tmp_path: Path) -> None:
    loaded = written(tmp_path, router)
    with Asked() as asked:
        suppress_fixed(loaded.raw(torch.zeros(2, 1, SIDE_PX, SIDE_PX, dtype=torch.uint8)))
    assert asked.waits == []


def test_the_watch_for_waits_sees_them() -> None:
    with Asked() as asked:
        numbers = torch.arange(3)
        numbers[numbers > 1]
        numbers[0].item()
        torch.tensor([1.0, 2.0])
    assert {"index", "lift_fresh", "_local_scalar_dense"} <= set(asked.waits)
