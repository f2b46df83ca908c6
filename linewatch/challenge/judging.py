"""What a decision proves about a known-bad part, and which decision belongs to which part. Pure."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from linewatch.challenge.parts import ChallengeSet, Slot
from linewatch.core.messages import Cause, Verdict
from linewatch.core.wire import MAX_TEXT, MAX_TRACKED_TEXT, fitted


class Outcome(StrEnum):
    """in_doubt: rejected, but for a cause that any part may have: it does not prove that the defect is seen."""

    CAUGHT = "caught"
    WRONG_CLASS = "wrong_class"
    IN_DOUBT = "in_doubt"
    PASSED = "passed"
    NOT_SEEN = "not_seen"


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"label": "class"}):
    """One decision. at: ISO 8601 in UTC, when it was heard. decided_ms: from trigger to decision. picture: its file."""

    run: str
    seq: int
    verdict: Verdict
    cause: Cause
    score: float
    label: str
    decided_ms: float
    at: str
    picture: str = ""


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of one passage of one part, the `number`th of `of`. expect: empty is any class."""

    part: str
    number: int
    of: int
    expect: tuple[str, ...]
    outcome: Outcome
    seen: Seen | None
    words: str


def result_of(slot: Slot, seen: Seen | None, challenge: ChallengeSet) -> Result:
    """What `seen` proves about the part of `slot`. seen: None when no decision came for it."""
    outcome, words = _judged(slot, seen, challenge)
    return Result(slot.part.name, slot.number, slot.of, slot.part.expect, outcome, seen, words)


def fits(slot: Slot, seen: Seen) -> bool:
    """Whether it was rejected for a defect of a class that the part shows."""
    expect = slot.part.expect
    return seen.cause is Cause.DEFECT and (not expect or any(same_name(name, seen.label) for name in expect))


def assigned(slots: Sequence[Slot], seen: Sequence[Seen], *, whatever: bool) -> list[Seen | None]:
    """A decision for each slot where parts came in any order: as many classes right as can be.

    whatever: the slots that are then left get the decisions that are left, as they came.
    """
    found: dict[int, int] = {}  # slot by decision
    for number in range(len(slots)):
        _augment(number, slots, seen, found, set())
    by_slot = {slot: at for at, slot in found.items()}
    # A reject for some defect may prove more than a pass: it is spent first.
    left = sorted(set(range(len(seen))) - found.keys(), key=lambda at: (seen[at].cause is not Cause.DEFECT, at))
    for number in range(len(slots)):
        if whatever and left and number not in by_slot:
            by_slot[number] = left.pop(0)
    return [seen[by_slot[number]] if number in by_slot else None for number in range(len(slots))]


def _augment(slot: int, slots: Sequence[Slot], seen: Sequence[Seen], found: dict[int, int], tried: set[int]) -> bool:
    """Find a decision for `slot`, moving others to another decision where that helps (Kuhn's matching)."""
    for at, one in enumerate(seen):
        if at in tried or not fits(slots[slot], one):
            continue
        tried.add(at)
        if at not in found or _augment(found[at], slots, seen, found, tried):
            found[at] = slot
            return True
    return False


def _judged(slot: Slot, seen: Seen | None, challenge: ChallengeSet) -> tuple[Outcome, str]:
    if seen is None:
        wanted = "no decision" if challenge.traffic == "none" else "no reject for an expected class"
        return Outcome.NOT_SEEN, f"{wanted} came for it in time"
    if seen.verdict is Verdict.PASS:
        return Outcome.PASSED, "the line let it pass"
    if seen.cause is not Cause.DEFECT:
        return Outcome.IN_DOUBT, f"rejected for {seen.cause.value}, which does not prove that its defect is seen"
    if fits(slot, seen):
        return Outcome.CAUGHT, ""
    words = f"seen as {seen.label or 'no class'}"
    return (Outcome.WRONG_CLASS if challenge.class_must_match else Outcome.CAUGHT), words


def same_name(whole: str, heard: str) -> bool:
    """Whether the wire would say `whole` as `heard`: it cuts long names, of tracked parts sooner."""
    return heard in (whole, fitted(whole, MAX_TEXT), fitted(whole, MAX_TRACKED_TEXT))
