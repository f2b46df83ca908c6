"""Which decisions have come: in any order, each once, gaps known."""

from hypothesis import given, settings
from hypothesis import strategies as st

from linewatch.actuators.received import Received


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), max_size=80), st.integers(0, 45))
def test_like_a_set(seqs: list[int], limit: int) -> None:
    received, model = Received("r"), set[int]()
    for seq in seqs:
        assert received.add(seq) == (seq not in model)
        model.add(seq)
    assert received.up_to == next(number for number in range(100) if number + 1 not in model)
    assert received.lacks(limit) == len(set(range(1, limit + 1)) - model)
    lost = len(set(range(1, limit + 1)) - model)
    assert received.skip(limit) == lost
    assert received.lacks(limit) == 0
    assert not any(received.add(seq) for seq in range(1, limit + 1))
