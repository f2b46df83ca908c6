"""A small seeded network that every test of this folder shares."""

import pytest
import torch

from linewatch.dsmoe.network import Architecture, DsMoe


@pytest.fixture(scope="session")
def teacher() -> torch.Tensor:
    return torch.nn.functional.normalize(torch.randn(4, 3, 384, generator=torch.Generator().manual_seed(1)), dim=-1)


@pytest.fixture
def network(teacher: torch.Tensor) -> DsMoe:
    torch.manual_seed(0)
    return DsMoe(Architecture(classes=4), teacher)


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randint(0, 256, (2, 1, 128, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
