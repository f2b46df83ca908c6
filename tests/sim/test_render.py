"""Pictures and their truth: each box sits on what a person would see of its defect."""

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from linewatch.sim.render import Truth, render, render_clean, truth_of
from linewatch.sim.scene import CLASSES, Defect, Scene, describe

# Grey levels by which a pixel must change to count as seen.
VISIBLE = 8.0
Alone = tuple[Scene, Defect, npt.NDArray[np.float32]]


@pytest.fixture(scope="module")
def alone() -> list[Alone]:
    """Defects one at a time: the scene with that one only, and what it changes in the picture before noise."""
    found = []
    for index in range(110):
        scene = describe(12, index, 1.0)
        good = render_clean(replace(scene, defects=()))
        for defect in scene.defects:
            single = replace(scene, defects=(defect,))
            found.append((single, defect, np.abs(render_clean(single) - good)))
    return found


def visible_box(change: npt.NDArray[np.float32]) -> Truth:
    """Box around the pixels that changed visibly."""
    rows, columns = np.nonzero(change > VISIBLE)
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return Truth("bubble", float(left), float(top), float(right - left), float(bottom - top))


def iou(a: Truth, b: Truth) -> float:
    """Intersection over union of two boxes."""
    width = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    height = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    common = max(width, 0.0) * max(height, 0.0)
    return common / (a.w * a.h + b.w * b.h - common)


@pytest.mark.parametrize("kind", CLASSES)
def test_boxes_are_tight_to_the_visible_defect(alone: list[Alone], kind: str) -> None:
    overlaps = [iou(truth_of(scene)[0], visible_box(change)) for scene, defect, change in alone if defect.kind == kind]
    assert len(overlaps) >= 15
    assert np.median(overlaps) >= 0.75
    assert np.percentile(overlaps, 5) >= 0.6


@pytest.mark.parametrize("kind", CLASSES)
def test_every_defect_stands_out_of_the_noise(alone: list[Alone], kind: str) -> None:
    contrasts = [float(change.max()) / scene.noise for scene, defect, change in alone if defect.kind == kind]
    assert min(contrasts) > 4


def test_a_defect_changes_nothing_far_from_its_box(alone: list[Alone]) -> None:
    for scene, _, change in alone:
        box = truth_of(scene)[0]
        outside = change.copy()
        top, left = max(int(box.y) - 8, 0), max(int(box.x) - 8, 0)
        outside[top : int(box.y + box.h) + 9, left : int(box.x + box.w) + 9] = 0
        assert outside.max() < VISIBLE


def test_boxes_lie_in_the_picture_and_are_not_too_small() -> None:
    for index in range(200):
        for box in truth_of(describe(13, index, 1.0)):
            assert box.x >= 0 and box.y >= 0 and box.x + box.w <= 448 and box.y + box.h <= 448
            assert min(box.w, box.h) >= (8 if box.name in ("crack", "scratch") else 12)


def test_truth_needs_no_picture_and_scales_with_it() -> None:
    scene = describe(14, 2, 1.0)
    assert render(scene).truth == truth_of(scene)
    for small, large in zip(truth_of(scene, 448), truth_of(scene, 896), strict=True):
        assert (large.w, large.h) == pytest.approx((2 * small.w, 2 * small.h))
        assert large.x == pytest.approx(2 * small.x, abs=1)


def test_truth_follows_the_order_of_the_defects() -> None:
    scene = describe(15, 1, 1.0)
    assert [box.name for box in truth_of(scene)] == [defect.kind for defect in scene.defects]


@pytest.mark.parametrize("size", [320, 448, 1024])
def test_a_picture_is_grey_bytes_of_the_size_asked_for(size: int) -> None:
    pixels = render(describe(16, 0), size).pixels
    assert pixels.shape == (size, size)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous


def test_the_same_part_gives_the_same_bytes() -> None:
    first = render(describe(17, 5, 1.0))
    render(describe(17, 6, 1.0))
    again = render(describe(17, 5, 1.0))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.truth == again.truth


def test_pictures_use_the_grey_scale_without_drowning_in_white() -> None:
    for index in range(20):
        pixels = render(describe(18, index)).pixels
        assert np.mean(pixels == 255) < 0.02
        assert np.percentile(pixels, 95) - np.percentile(pixels, 5) > 60


def test_the_bottle_is_bright_between_dark_belts() -> None:
    pixels = render(describe(19, 0, 0.0)).pixels
    assert pixels[174:274, 174:274].mean() > 1.5 * max(pixels[:, :12].mean(), pixels[:, -12:].mean())


@pytest.mark.slow
def test_a_part_is_rendered_in_a_fraction_of_the_line_pitch() -> None:
    scenes = [describe(20, index, 0.5) for index in range(30)]
    times = []
    for scene in scenes:
        start = time.thread_time()
        render(scene)
        times.append(time.thread_time() - start)
    # 20 ms on a free core; CPU time of this thread, and slack for a busy machine's caches.
    assert np.median(times) < 0.04
