"""Acceptance scores for each class: what they do to parts, and that one number decides."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from linewatch.core.errors import DatasetError
from linewatch.core.station import Criterion
from linewatch.sim.dataset import write_dataset
from linewatch.training.annotations import Annotations, Box, Picture
from linewatch.training.criteria import ClassScores, class_scores, frontier, judge, propose
from linewatch.training.part_level import choose_threshold
from linewatch.training.tuning import CRITERIA, PLOT, tune

MODELS = Path(__file__).parents[2] / "models"
SCORE = st.integers(1, 19).map(
    lambda twentieths: twentieths / 20
)  # far enough apart for the rounding of a station file
ROWS = st.lists(st.tuples(SCORE, SCORE), min_size=1, max_size=20).map(np.array)


def test_a_class_that_good_parts_look_like_does_not_set_the_score_of_the_others() -> None:
    rng = np.random.default_rng(0)
    good = np.stack([rng.uniform(0.5, 0.8, 60), rng.uniform(0.02, 0.06, 60)], axis=1)
    bad = np.concatenate([np.stack([rng.uniform(0.9, 0.99, 30), np.zeros(30)], 1),
                          np.stack([np.zeros(30), rng.uniform(0.3, 0.7, 30)], 1)])  # fmt: skip
    shows = np.repeat([[True, False], [False, True]], 30, axis=0)
    scores = ClassScores(good, bad, shows)
    single = choose_threshold(good.max(1).tolist(), bad.max(1).tolist(), max_escape=0.0)
    proposed = propose(scores, 0.0)
    assert single.point.false_rejects.count > 50
    assert proposed.escapes.count == proposed.false_rejects.count == 0
    assert 0.06 < proposed.scores[1] < 0.3 and 0.8 < proposed.scores[0] < 0.9


@given(good=ROWS, bad=ROWS, limit=st.floats(0, 1, allow_subnormal=False))
def test_what_is_said_is_what_the_scores_do(good: np.ndarray, bad: np.ndarray, limit: float) -> None:
    proposed = propose(ClassScores(good, bad, np.ones(bad.shape, np.bool_)), limit)
    rejected = [any(s >= level for s, level in zip(row, proposed.scores, strict=True)) for row in [*good, *bad]]
    assert proposed.false_rejects.count == sum(rejected[: len(good)])
    assert proposed.escapes.count == len(bad) - sum(rejected[len(good) :])
    assert all(0 < level < 1 for level in proposed.scores)


def test_escapes_are_traded_for_false_rejects() -> None:
    rng = np.random.default_rng(1)
    good, bad = rng.beta(2, 5, (200, 3)), rng.beta(2, 5, (100, 3)) + np.array([0.3, 0, 0])
    points = frontier(ClassScores(good, np.clip(bad, 0, 1), np.ones(bad.shape, np.bool_)))
    assert [point.escapes.count for point in points] == sorted(point.escapes.count for point in points)
    assert points[0].escapes.count == 0 < points[-1].escapes.count
    assert points[0].false_rejects.count > 2 * points[-1].false_rejects.count > 0


@given(good=ROWS, bad=ROWS, limit=st.floats(0, 1, allow_subnormal=False))
def test_a_wanted_share_of_false_rejects_is_kept_and_used(good: np.ndarray, bad: np.ndarray, limit: float) -> None:
    scores = ClassScores(good, bad, np.ones(bad.shape, np.bool_))
    proposed = propose(scores, limit, "false_rejects")
    assert proposed.false_rejects.share <= limit
    better = [one for one in frontier(scores) if one.escapes.count < proposed.escapes.count]
    assert all(one.false_rejects.share > limit for one in better)


def test_scores_of_parts_by_hand() -> None:
    pictures = (Picture(Path("a.png"), 9, 9, "a", (Box(0, 1, 1, 2, 2),)), Picture(Path("b.png"), 9, 9, "b", ()))
    truth = Annotations(("x", "y"), pictures)
    scores = class_scores(truth, [[(1, 0.4, 0, 0, 1, 1), (1, 0.7, 0, 0, 1, 1)], []])
    assert scores.bad.tolist() == [[0.0, 0.7]] and scores.good.tolist() == [[0.0, 0.0]]
    assert scores.shows.tolist() == [[True, False]]
    assert judge(scores, (0.5, 0.7)).escapes.count == 0
    with pytest.raises(DatasetError, match="0 good and 1 bad"):
        class_scores(Annotations(("x", "y"), pictures[:1]), [[]])


@pytest.mark.slow
def test_the_proposal_is_a_section_that_a_station_takes(tmp_path: Path) -> None:
    list(write_dataset(tmp_path / "bottles", seed=3, count=6, size_px=448, defect_rate=0.5))
    annotations, images = tmp_path / "bottles/annotations.json", tmp_path / "bottles/images"
    proposed = tune(
        MODELS / "bottle-bottom", annotations, images, tmp_path / "out", most=0.0, device="cpu"
    )  # fmt: skip
    section = yaml.safe_load((tmp_path / "out" / CRITERIA).read_text())["acceptance"]
    criteria = [Criterion.model_validate(row) for row in section]
    assert [criterion.min_score for criterion in criteria] == list(proposed.scores)
    assert (tmp_path / "out" / PLOT).stat().st_size > 5000
    assert proposed.escapes.total + proposed.false_rejects.total == 6
