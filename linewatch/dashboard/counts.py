"""What became of the parts of one shift, whichever runs it had."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from linewatch.core.messages import Cause
from linewatch.core.shifts import Shifts
from linewatch.records.pareto import pareto

_REMEMBERED = 20_000  # parts whose second mention, by wire and log, is noticed


@dataclass
class ShiftCounts:
    """Counts since the shift began; they start anew at the next one.

    since: when the present shift began, in UTC. causes: parts by cause. classes: defects by class.
    """

    shifts: Shifts
    since: datetime
    causes: Counter[Cause] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    _seen: dict[tuple[str, int], None] = field(default_factory=dict)

    def add(self, run: str, seq: int, cause: Cause, label: str) -> bool:
        """Count a part of run `run` once; False when it was counted before."""
        if (run, seq) in self._seen:
            return False
        self._seen[run, seq] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        self.causes[cause] += 1
        if cause is Cause.DEFECT:
            self.classes[label or "unnamed"] += 1
        return True

    def turn(self, now: datetime) -> None:
        """Begin anew when another shift has begun by `now`."""
        since = self.shifts.current(now).begin
        if since > self.since:
            self.since = since
            self.causes.clear()
            self.classes.clear()

    @property
    def passed(self) -> int:
        return self.causes[Cause.OK]

    @property
    def defects(self) -> int:
        return self.causes[Cause.DEFECT]

    @property
    def failsafe(self) -> int:
        return sum(count for cause, count in self.causes.items() if cause.is_failsafe)

    def pareto(self) -> list[tuple[str, int, str]]:
        """Name, count and tone (reject, doubt) of what parts were rejected for, most frequent first."""
        return pareto(self.causes, self.classes)
