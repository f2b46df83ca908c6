"""Drift of brightness and focus is told once, and only when many pictures agree."""

from collections.abc import Iterable

import cv2
import numpy as np

from linewatch.core.station import Drift as Limits
from linewatch.inspection.drift import Drift
from linewatch.pictures.types import Picture
from linewatch.sim.render import render
from linewatch.sim.scene import describe

PART = render(describe(3, 0, 0.0), 320).pixels


def told(pictures: Iterable[Picture], **limits: float | None) -> list[str]:
    drift = Drift(Limits.model_validate({"parts": 5, **limits}))
    return [f"{note.kind} {note.text.split(':')[0]}" for picture in pictures for note in drift.see(picture)]


def lit(factor: float) -> Picture:
    return np.clip(PART * factor, 0, 255).astype(np.uint8)


def blurred(sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(PART, (0, 0), sigma), np.uint8)


def test_a_lamp_that_ages_is_told_once_and_its_replacement_too() -> None:
    pictures = [lit(1.0)] * 10 + [lit(0.7)] * 20 + [lit(1.0)] * 5
    assert told(pictures) == ["alarm brightness_drift", "alarm_over brightness_drift"]


def test_a_lens_that_turns_is_told_whatever_the_light_does() -> None:
    assert told([PART] * 5 + [blurred(1.5)] * 5) == ["alarm focus_drift"]
    assert told([PART] * 5 + [lit(0.85)] * 5) == []


def test_some_odd_pictures_are_no_drift() -> None:
    assert told(([PART] * 3 + [lit(0.2), blurred(4)]) * 6) == []


def test_no_limit_is_no_alarm() -> None:
    assert told([PART] * 5 + [np.zeros_like(PART)] * 5, brightness=None, focus=None) == []


def test_colour_pictures_are_followed_like_grey_ones() -> None:
    assert told([np.dstack([PART] * 3)] * 5 + [np.dstack([lit(0.6)] * 3)] * 5, focus=None) == ["alarm brightness_drift"]
