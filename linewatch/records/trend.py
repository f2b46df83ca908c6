"""How a shift went: parts, rejects and rejects in doubt of every ten minutes, of longer steps over several days."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from linewatch.core.messages import Cause
from linewatch.core.shifts import Span

_STEP = timedelta(minutes=10)
_MOST_STEPS = 200


@dataclass
class Step:
    """The parts from `begin` (UTC) on. rejects: all, those in doubt as well."""

    begin: datetime
    parts: int = 0
    rejects: int = 0
    doubts: int = 0

    @property
    def reject_rate(self) -> float:
        """0 .. 1; 0 without parts."""
        return self.rejects / max(1, self.parts)

    @property
    def doubt_rate(self) -> float:
        """0 .. 1; 0 without parts."""
        return self.doubts / max(1, self.parts)


class Trend:
    """length: of each step. steps: in order, from the span's first part's to its last part's, without gaps."""

    def __init__(self, span: Span) -> None:
        self._begin = span.begin
        self.length = _STEP * max(1, -(-(span.end - span.begin) // (_STEP * _MOST_STEPS)))
        self._steps: dict[int, Step] = {}

    def add(self, at: datetime, cause: Cause) -> None:
        """Count one part that was decided at `at`."""
        step = self._step((at - self._begin) // self.length)
        step.parts += 1
        step.rejects += cause is not Cause.OK
        step.doubts += cause.is_failsafe

    @property
    def steps(self) -> list[Step]:
        numbers = range(min(self._steps), max(self._steps) + 1) if self._steps else ()
        return [self._step(number) for number in numbers]

    @property
    def minutes(self) -> str:
        """The length in words."""
        return f"{self.length / timedelta(minutes=1):g} minutes"

    def _step(self, number: int) -> Step:
        if number not in self._steps:
            self._steps[number] = Step(self._begin + number * self.length)
        return self._steps[number]
