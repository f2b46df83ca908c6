"""Verdicts against truth: what escaped, what was rejected without need. Part by part, not box by box."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from linewatch.core.messages import Cause
from linewatch.demo.accounting import Entry


@dataclass(frozen=True)
class ClassTally:
    """Parts that carry at least one defect of a class, and what became of them.

    rejected: for a defect, of whatever class it was taken for. failsafe: rejected in doubt. escaped: passed.
    """

    parts: int = 0
    rejected: int = 0
    failsafe: int = 0
    escaped: int = 0


@dataclass(frozen=True)
class Judgement:
    """escapes: defective parts that were passed. false_rejects: good parts that were rejected for a defect.

    A part that was rejected in doubt is neither: nobody claimed to have seen anything. defective: parts with a defect,
    among those decided.
    """

    defective: int
    escapes: tuple[int, ...]
    false_rejects: tuple[int, ...]
    per_class: dict[str, ClassTally]


def judge(outcomes: Mapping[int, Entry], truth: Mapping[int, frozenset[str]]) -> Judgement:
    """Compare the outcome of each part with its truth, the classes of its defects (empty: a good part)."""
    known = [(seq, entry.cause, truth[seq]) for seq, entry in sorted(outcomes.items()) if seq in truth]
    classes = sorted({name for _, _, names in known for name in names})
    return Judgement(
        defective=sum(bool(names) for _, _, names in known),
        escapes=tuple(seq for seq, cause, names in known if names and cause is Cause.OK),
        false_rejects=tuple(seq for seq, cause, names in known if not names and cause is Cause.DEFECT),
        per_class={name: _tally(cause for _, cause, names in known if name in names) for name in classes},
    )


def _tally(causes: Iterable[Cause]) -> ClassTally:
    found = list(causes)
    escaped, rejected = found.count(Cause.OK), found.count(Cause.DEFECT)
    return ClassTally(len(found), rejected, len(found) - escaped - rejected, escaped)
