"""Training sets how this process computes; the tests of others, in whatever order, must not meet it."""

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def denormals_afterwards() -> Iterator[None]:
    """Smallest numbers are kept again, as hypothesis wants them."""
    yield
    torch.set_flush_denormal(False)
