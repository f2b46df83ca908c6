"""Which pictures go first, and when: by rules, from the most to the least wanted. Pure.

A picture's file name says its class and cause, so that no decision log is read to make room.
"""

import re
from collections.abc import Sequence

from linewatch.core.keeping import ANY, Keep
from linewatch.core.messages import Cause, Decision
from linewatch.records.crops import CROPS, as_word

_CROP = re.compile(r"\d+_([A-Za-z0-9-]+)_\d+\.png")
_FRAME = re.compile(r"\d+_([a-z-]+)(?:_([A-Za-z0-9-]+))?\.png")
_DAY_S = 86_400.0


def tag_of(decision: Decision) -> str:
    """What the name of a whole frame says: cause, and class of a defect."""
    cause = as_word(decision.cause.value)
    return f"{cause}_{as_word(decision.label)}" if decision.cause is Cause.DEFECT else cause


class Retention:
    """The station's rules, and below them the pictures that no rule names.

    ranks: how many kinds of picture there are; those of rank 0 go first.
    """

    def __init__(self, rules: Sequence[Keep] = ()) -> None:
        self._rules = tuple(rules)
        self.ranks = len(self._rules) + 1

    @property
    def goes_by_name(self) -> bool:
        """Whether names of frames must say cause and class."""
        return bool(self._rules)

    @property
    def expires(self) -> bool:
        """Whether anything is ever too old."""
        return any(rule.days is not None for rule in self._rules)

    def rank(self, folder: str, name: str) -> int:
        """Rank of the picture `name` in `folder` (crops or frames) of a run: by the first rule that fits."""
        label, cause = _kind(folder, name) if self._rules else ("", "")
        for place, rule in enumerate(self._rules):
            if _fits(rule, label, cause):
                return self.ranks - 1 - place
        return 0

    def oldest_s(self, rank: int) -> float | None:
        """How old a picture of `rank` may become, in seconds; none is any age."""
        days = self._rules[self.ranks - 1 - rank].days if rank else None
        return None if days is None else days * _DAY_S


def _fits(rule: Keep, label: str, cause: str) -> bool:
    if rule.cause is not None:
        return cause == as_word(rule.cause.value)
    return rule.label == ANY or label == as_word(rule.label or "")


def _kind(folder: str, name: str) -> tuple[str, str]:
    """Class and cause; empty where the name does not say them. A crop has a class alone."""
    if folder == CROPS:
        crop = _CROP.fullmatch(name)
        return (crop[1] if crop else "", "")
    frame = _FRAME.fullmatch(name)
    return (frame[2] or "", frame[1]) if frame else ("", "")
