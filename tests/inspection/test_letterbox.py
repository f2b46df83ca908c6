import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.inspection.letterbox import letterbox, scale_into


def test_a_picture_of_the_right_size_is_untouched() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(letterbox(picture, 64).transpose(1, 2, 0), picture)


@pytest.mark.parametrize(("height", "width"), [(100, 200), (16, 32)])
def test_the_aspect_ratio_is_kept_and_the_rest_is_black(height: int, width: int) -> None:
    square = letterbox(np.full((height, width), 50, np.uint8), 64)
    assert square.shape == (1, 64, 64)
    assert (square[0, :32] == 50).all()
    assert (square[0, 32:] == 0).all()


@given(st.integers(1, 300), st.integers(1, 300))
def test_any_picture_fits_and_fills_one_side(height: int, width: int) -> None:
    square = letterbox(np.full((height, width), 9, np.uint8), 64)[0]
    assert (square[0] == 9).all() or (square[:, 0] == 9).all()
    assert max(height, width) * scale_into(height, width, 64) == pytest.approx(64)


@pytest.mark.parametrize("x", [0, 40, 190])
def test_a_spot_is_found_where_it_was_after_scaling_back(x: int) -> None:
    picture = np.zeros((100, 200), np.uint8)
    picture[50:60, x : x + 10] = 255
    row, column = np.unravel_index(int(letterbox(picture, 64)[0].argmax()), (64, 64))
    scale = scale_into(100, 200, 64)
    assert abs(column / scale - x) < 10
    assert abs(row / scale - 50) < 10
