"""The gate's counter: what its steps say about parts whose message never came."""

from dataclasses import dataclass

from linewatch.triggers.protocol import COUNTERS

MAX_MISSED = 64  # a larger step is a gate that started again, not so many parts lost at once


@dataclass(frozen=True)
class Step:
    """What one counter value means.

    kind: `next` (as expected, also the first), `gap` (parts in `missed` never came), `duplicate` (seen already),
    `backwards` or `jump` (the gate started again: nobody knows what is missing).
    """

    kind: str
    missed: tuple[int, ...] = ()


class Counting:
    """Follows one gate's counter over a run, also across a lost and reopened port."""

    def __init__(self) -> None:
        self._last: int | None = None
        self._given = 0  # parts after `_last` that were already handed out as missed

    def step(self, counter: int) -> Step:
        """Take the counter of a good frame."""
        last, given = self._last, self._given
        ahead = 1 if last is None else (counter - last) % COUNTERS
        if ahead == 0:
            return Step("duplicate")
        self._last, self._given = counter, 0
        if ahead >= COUNTERS // 2:
            return Step("backwards")
        if ahead - 1 > MAX_MISSED:
            return Step("jump")
        first = counter - ahead + 1 + given
        missed = tuple(value % COUNTERS for value in range(first, counter))
        return Step("gap" if missed else "next", missed)

    def give_up(self) -> int:
        """The counter of the next part, whose message is taken as lost and will not be reported as missed again."""
        self._given += 1
        return ((self._last or 0) + self._given) % COUNTERS
