"""What a decision proves about a known-bad part, and whose decision it was when parts came in any order."""

from typing import Any

import pytest

from linewatch.challenge.judging import Outcome, Seen, assigned, result_of
from linewatch.challenge.parts import ChallengeSet, slots_of
from linewatch.core.messages import Cause, Verdict


def seen(cause: str = "defect", label: str = "", seq: int = 1) -> Seen:
    verdict = Verdict.PASS if cause == "ok" else Verdict.REJECT
    return Seen("r", seq, verdict, Cause(cause), 0.9, label, 30.0, "2026-11-23T06:00:00.000+00:00")


def challenge(*expected: str, **more: Any) -> ChallengeSet:
    """One part for each word; an empty one expects any defect."""
    parts = [{"name": f"p{at}", "expect": [name] if name else []} for at, name in enumerate(expected)]
    return ChallengeSet.model_validate({"name": "s", "parts": parts, **more})


@pytest.mark.parametrize(
    ("decision", "must_match", "outcome", "words"),
    [
        (seen("defect", "crack"), True, "caught", ""),
        (seen("defect", "stone"), False, "caught", "seen as stone"),
        (seen("defect", "stone"), True, "wrong_class", "seen as stone"),
        (seen("ok"), False, "passed", "let it pass"),
        (None, False, "not_seen", "no decision"),
        *(
            (seen(cause.value), False, "in_doubt", f"rejected for {cause.value}")
            for cause in Cause
            if cause.is_failsafe
        ),
    ],
)
def test_only_a_reject_for_a_defect_proves_that_it_is_seen(
    decision: Seen | None, must_match: bool, outcome: str, words: str
) -> None:
    wanted = challenge("crack", class_must_match=must_match)
    result = result_of(slots_of(wanted)[0], decision, wanted)
    assert result.outcome is Outcome(outcome)
    assert words in result.words


def test_a_class_name_that_the_wire_cut_is_known_again() -> None:
    wanted = challenge("a-class-name-of-more-than-forty-bytes-indeed", class_must_match=True)
    (slot,) = slots_of(wanted)
    assert result_of(slot, seen("defect", "a-class-name-of-more-than-forty-bytes-in"), wanted).outcome is Outcome.CAUGHT
    assert result_of(slot, seen("defect", "a-class"), wanted).outcome is Outcome.WRONG_CLASS


def labels(wanted: ChallengeSet, *decisions: Seen, whatever: bool = True) -> list[str | None]:
    """Class (or cause) of the decision that each slot gets."""
    found = assigned(slots_of(wanted), decisions, whatever=whatever)
    return [None if one is None else one.label or one.cause.value for one in found]


def test_in_any_order_as_many_classes_are_right_as_can_be() -> None:
    both = ChallengeSet.model_validate(
        {"name": "s", "parts": [{"name": "a", "expect": ["crack", "stone"]}, {"name": "b", "expect": ["crack"]}]}
    )
    assert labels(both, seen(label="crack"), seen(label="stone")) == ["stone", "crack"]
    assert labels(challenge("", "crack"), seen(label="crack"), seen(label="dirt")) == ["dirt", "crack"]


def test_what_is_left_goes_to_what_is_left_rejects_first() -> None:
    wanted = challenge("crack", "stone", "dirt")
    assert labels(wanted, seen("ok"), seen(label="bubble"), seen(label="dirt")) == ["bubble", "ok", "dirt"]
    assert labels(wanted, seen("ok")) == ["ok", None, None]
    assert labels(wanted) == [None, None, None]


def test_among_production_only_what_fits_is_taken() -> None:
    wanted = challenge("crack", "stone")
    decisions = (seen("ok"), seen(label="dirt"), seen("timeout"), seen(label="stone"))
    assert labels(wanted, *decisions, whatever=False) == [None, "stone"]
