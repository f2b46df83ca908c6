"""The recorded network, on a machine with a CUDA device."""

from pathlib import Path

import pytest
import torch

from linewatch.dsmoe.graph import Graph
from linewatch.dsmoe.weights import load_model

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device on this machine"),
]

MODEL = Path("models/bottle-bottom")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return Graph(load_model(MODEL, "cuda"), batch=4, channels=1)


def noise(seed: int) -> torch.Tensor:
    side = load_model(MODEL).card.input_size
    return torch.randint(0, 256, (4, 1, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_it_finds_what_the_network_finds(graph: Graph) -> None:
    assert graph.agrees()


def test_a_second_batch_leaves_nothing_of_the_first(graph: Graph) -> None:
    once = graph.detect(noise(1))
    graph.detect(noise(2))
    again = graph.detect(noise(1))
    assert all(torch.equal(a, b) for old, new in zip(once, again, strict=True) for a, b in zip(old, new, strict=True))


def test_neighbours_change_no_bit(graph: Graph) -> None:
    pictures = noise(3)
    alone = torch.zeros_like(pictures)
    alone[0] = pictures[0]
    wanted, found = graph.detect(pictures)[0], graph.detect(alone)[0]
    assert all(torch.equal(a, b) for a, b in zip(wanted, found, strict=True))
