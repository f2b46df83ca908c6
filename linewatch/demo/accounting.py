"""The account of a run: every trigger must stand in every book exactly once, with the same answer.

A book is what one witness wrote down: decisions as the observer heard them on the wire, as the rejecter got them, as
they lie in the decision log. The gate knows how many parts there were; part `seq` is its seq-th trigger.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from linewatch.core.messages import Cause, Verdict


@dataclass(frozen=True)
class Entry:
    """One decision in a book. counter: the gate's own number of the part, none where the witness is not told."""

    seq: int
    verdict: Verdict
    cause: Cause
    counter: int | None = None


@dataclass(frozen=True)
class Book:
    """What one witness wrote down, in its order."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Account:
    """passed, reject_defect, failsafe (by cause): the parts by outcome; with nothing wrong they add up to `triggers`.

    missing: parts that at least one book lacks. duplicates: parts that some book has twice, and entries of parts that
    never came. disputed: parts for which two books name different answers, or a book another counter than the gate.
    """

    triggers: int
    passed: int
    reject_defect: int
    failsafe: dict[Cause, int]
    missing: tuple[int, ...]
    duplicates: tuple[int, ...]
    disputed: tuple[int, ...]

    @property
    def decided(self) -> int:
        """Parts with an outcome."""
        return self.passed + self.reject_defect + sum(self.failsafe.values())

    @property
    def holds(self) -> bool:
        """Whether exactly one decision was made, given out and kept for every trigger, and for no other part."""
        return not (self.missing or self.duplicates or self.disputed) and self.decided == self.triggers


def balance(fired: Sequence[int], books: Sequence[Book]) -> Account:
    """Compare the books with each other and with the gate.

    fired: the gate's counter of each trigger, in order. The outcome of a part is what the first book that knows it
    says.
    """
    parts = set(range(1, len(fired) + 1))
    answers = _answers(books)
    causes = Counter(entries[0].cause for seq, entries in answers.items() if seq in parts)
    return Account(
        triggers=len(fired),
        passed=causes[Cause.OK],
        reject_defect=causes[Cause.DEFECT],
        failsafe={cause: causes[cause] for cause in Cause if cause.is_failsafe and causes[cause]},
        missing=_union(parts - {entry.seq for entry in book.entries} for book in books),
        duplicates=_union(_surplus(book, parts) for book in books),
        disputed=_union({seq} for seq, entries in answers.items() if seq in parts and _disputed(entries, fired)),
    )


def outcomes(books: Sequence[Book]) -> dict[int, Entry]:
    """The answer for each part, from the first book that knows it, in order of seq."""
    return {seq: entries[0] for seq, entries in sorted(_answers(books).items())}


def _answers(books: Sequence[Book]) -> dict[int, list[Entry]]:
    answers: dict[int, list[Entry]] = {}
    for book in books:
        for entry in book.entries:
            answers.setdefault(entry.seq, []).append(entry)
    return answers


def _disputed(entries: Sequence[Entry], fired: Sequence[int]) -> bool:
    counter = fired[entries[0].seq - 1]
    answers = {(entry.verdict, entry.cause) for entry in entries}
    return len(answers) > 1 or any(entry.counter not in (None, counter) for entry in entries)


def _surplus(book: Book, parts: set[int]) -> set[int]:
    times = Counter(entry.seq for entry in book.entries)
    return {seq for seq, count in times.items() if count > 1 or seq not in parts}


def _union(sets: Iterable[set[int]]) -> tuple[int, ...]:
    return tuple(sorted(set().union(*sets)))
