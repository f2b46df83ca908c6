"""Escapes and false rejects over the threshold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.core.errors import DatasetError
from linewatch.training.part_level import choose_threshold, choose_within_both, curve, wilson

SCORES = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=1, max_size=30)


def rates(good: list[float], bad: list[float], threshold: float) -> tuple[int, int]:
    """(escapes, false rejects), counted part by part."""
    return sum(score < threshold for score in bad), sum(score >= threshold for score in good)


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    # Published examples of Wilson's interval at 95% (Newcombe 1998, without continuity correction).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_against_published_values(count: int, total: int, low: float, high: float) -> None:
    rate = wilson(count, total)
    assert [rate.low, rate.high] == pytest.approx([low, high], abs=5e-5)
    assert rate.share == count / total


def test_wilson_is_exact_at_both_ends() -> None:
    assert wilson(0, 50).low == 0
    assert wilson(50, 50).high == 1


def test_the_curve_by_hand() -> None:
    points = curve(good=[0.2, 0.6], bad=[0.4, 0.8])
    assert [(p.low, p.high, p.escapes.count, p.false_rejects.count) for p in points] == [
        (0.0, 0.2, 0, 2),
        (0.2, 0.4, 0, 1),
        (0.4, 0.6, 1, 1),
        (0.6, 0.8, 1, 0),
        (0.8, 1.0, 2, 0),
    ]


@given(good=SCORES, bad=SCORES)
def test_each_point_of_the_curve_counts_parts_rightly(good: list[float], bad: list[float]) -> None:
    for point in curve(good, bad):
        for threshold in (point.threshold, point.high):
            if threshold > point.low:
                assert (point.escapes.count, point.false_rejects.count) == rates(good, bad, threshold)


@given(good=SCORES, bad=SCORES, limit=st.floats(0, 0.5))
def test_no_other_threshold_does_better(good: list[float], bad: list[float], limit: float) -> None:
    choice = choose_threshold(good, bad, limit)
    escapes, false_rejects = choice.point.escapes, choice.point.false_rejects
    for threshold in [*good, *bad, 1.0]:
        other_escapes, other_false = rates(good, bad, threshold)
        # 0 is no threshold: a part without any detection would be rejected.
        if threshold == 0:
            continue
        if choice.met and other_escapes / len(bad) <= limit:
            assert (false_rejects.count, escapes.count) <= (other_false, other_escapes)
        assert choice.met or other_escapes >= escapes.count


def test_separable_parts_are_cut_in_the_middle() -> None:
    choice = choose_threshold([0.0, 0.1, 0.2], [0.6, 0.9, 1.0])
    assert choice.point.threshold == pytest.approx(0.4)
    assert (choice.point.escapes.count, choice.point.false_rejects.count) == (0, 0)
    assert choice.met


def test_false_rejects_are_not_bought_with_escapes_beyond_the_limit() -> None:
    good, bad = [0.3] * 5 + [0.1] * 95, [0.2] + [0.9] * 99
    choice = choose_threshold(good, bad, max_escape=0.01)
    assert choice.point.threshold == pytest.approx(0.6)
    assert (choice.point.escapes.count, choice.point.false_rejects.count) == (1, 0)
    strict = choose_threshold(good, bad, max_escape=0.0)
    assert strict.point.threshold == pytest.approx(0.15)
    assert (strict.point.escapes.count, strict.point.false_rejects.count) == (0, 5)


def test_an_escape_that_wins_nothing_is_not_made() -> None:
    choice = choose_threshold([0.1] * 10, [0.3] + [0.9] * 199, max_escape=0.01)
    assert choice.point.threshold == pytest.approx(0.2)
    assert choice.point.escapes.count == 0


def test_a_limit_that_cannot_be_kept_is_said() -> None:
    choice = choose_threshold([0.1, 0.2], [0.0, 0.9], max_escape=0.01)
    assert not choice.met
    assert choice.point.escapes.count == 1
    assert choice.point.false_rejects.count == 0


def test_between_two_limits_the_threshold_is_as_far_from_either_as_can_be() -> None:
    good, bad = [0.1] * 97 + [0.3, 0.5, 0.6], [0.7] + [0.8] * 99
    # Up to two good ones rejected: from above 0.3. No escape: up to 0.7.
    point = choose_within_both(good, bad, max_escape=0.0, max_false_reject=0.02)
    assert point.threshold == pytest.approx(0.5)
    assert (point.escapes.count, point.false_rejects.count) == (0, 2)
    assert (point.low, point.high) == pytest.approx((0.3, 0.5))
    # One escape of a hundred is allowed too: up to 0.8.
    assert choose_within_both(good, bad, max_escape=0.01, max_false_reject=0.02).threshold == pytest.approx(0.55)


def test_where_both_limits_cannot_be_kept_the_escapes_count() -> None:
    good, bad = [0.1, 0.2, 0.6, 0.9], [0.3, 0.95]
    assert choose_within_both(good, bad, 0.0, 0.25) == choose_threshold(good, bad, 0.0).point


@given(good=SCORES, bad=SCORES, escape=st.floats(0, 0.5), false_reject=st.floats(0, 0.5))
def test_the_middle_keeps_both_limits_where_any_threshold_does(
    good: list[float], bad: list[float], escape: float, false_reject: float
) -> None:
    point = choose_within_both(good, bad, escape, false_reject)
    assert (point.escapes.count, point.false_rejects.count) == rates(good, bad, point.threshold)
    for threshold in [*good, *bad, 1.0]:
        escapes, false_rejects = rates(good, bad, threshold)
        if threshold > 0 and escapes / len(bad) <= escape and false_rejects / len(good) <= false_reject:
            assert point.escapes.share <= escape
            assert point.false_rejects.share <= false_reject


def test_a_limit_on_false_rejects_must_be_a_share() -> None:
    with pytest.raises(DatasetError, match="max_false_reject"):
        choose_within_both([0.1], [0.9], 0.0, -0.1)


@pytest.mark.parametrize(
    ("good", "bad", "limit", "reason"),
    [
        ([], [0.5], 0.01, "good parts: there are none"),
        ([0.5], [], 0.01, "bad parts: there are none"),
        ([0.5], [1.5], 0.01, "bad parts: .*from 0 to 1"),
        ([float("nan"), 0.1], [0.5], 0.01, "good parts: .*from 0 to 1"),
        ([0.5], [0.5], 1.5, "max_escape"),
    ],
)
def test_nonsense_is_refused(good: list[float], bad: list[float], limit: float, reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        choose_threshold(good, bad, limit)
