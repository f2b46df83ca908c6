"""What people must be called for although every single part was decided well: runs and rates of rejects (R14).

Pure: decisions and the time in, notes out. An alarm is said once when it begins and once when it is over.
"""

from collections import deque

from linewatch.core.messages import Cause, Decision, Note, Verdict
from linewatch.core.station import Alarms as Limits

OVER_AT = 0.8  # a rate alarm is over when the rate has fallen to this share of its limit
HOUR_NS = 3_600_000_000_000


class RollingShare:
    """Share of the last `parts` parts that something was true of."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.count = 0
        self._last: deque[bool] = deque()

    def add(self, seen: bool) -> None:
        """Count one part more; the oldest falls out of a full window."""
        if len(self._last) == self.parts:
            self.count -= self._last.popleft()
        self._last.append(seen)
        self.count += seen

    def above(self, limit: float) -> bool:
        """Whether more than `limit` of a whole window: certain before it is full when the count says so already."""
        return self.count > limit * self.parts

    @property
    def share(self) -> float:
        """0 .. 1; 0 before the first part."""
        return self.count / max(1, len(self._last))

    def __str__(self) -> str:
        return f"{self.count} of the last {len(self._last)} parts"


class Alarms:
    """The alarms of one run. in_a_row: rejected parts up to now. rejects, doubts: rejected, and rejected in doubt."""

    def __init__(self, limits: Limits, now_ns: int) -> None:
        self._limits = limits
        self._on: set[str] = set()
        self._notes: list[Note] = []
        self._was_ready = False
        self.in_a_row = self._unseen_in_a_row = 0
        self.rejects = RollingShare(limits.reject_rate_parts)
        self.doubts = RollingShare(limits.failsafe_rate_parts)
        self._last_reject_ns = now_ns

    def decided(self, decision: Decision) -> None:
        """Count one decision. Parts that came before the line had ever been ready, or while it stops, count nowhere."""
        self._was_ready |= decision.cause is not Cause.STARTING
        if not self._was_ready or decision.cause is Cause.STOPPING:
            return
        rejected = decision.verdict is Verdict.REJECT
        self.in_a_row = self.in_a_row + 1 if rejected else 0
        self.rejects.add(rejected)
        self.doubts.add(rejected and decision.cause is not Cause.DEFECT)
        if rejected:
            self._last_reject_ns = decision.t_decision_ns
        self._judge_run(decision.seq)
        self._judge_rate("reject_rate", self.rejects, self._limits.reject_rate, decision.seq)
        self._judge_rate("failsafe_rate", self.doubts, self._limits.failsafe_rate, decision.seq)

    def ejected(self, seq: int, *, confirmed: bool) -> None:
        """Count one ejection that a sensor saw, or did not see."""
        limit = self._limits.unconfirmed_ejections
        self._unseen_in_a_row = 0 if confirmed else self._unseen_in_a_row + 1
        if limit is not None:
            text = f"{self._unseen_in_a_row} rejected parts in a row were not seen to leave"
            self._set("unconfirmed_ejections", self._unseen_in_a_row >= limit, confirmed, text, seq)

    def tick(self, now_ns: int) -> None:
        """See whether no part has been rejected for too long: a line without any reject may be blind."""
        hours = self._limits.no_reject_hours
        if hours is None:
            return
        quiet = now_ns - self._last_reject_ns >= hours * HOUR_NS
        self._set("no_reject", quiet, not quiet, f"no part was rejected for {hours:g} h: is the camera blind?", 0)

    @property
    def on(self) -> tuple[str, ...]:
        """Names of the alarms that have begun and are not over, sorted."""
        return tuple(sorted(self._on))

    def notes(self) -> list[Note]:
        """What is to be said since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def _judge_run(self, seq: int) -> None:
        limit = self._limits.consecutive_rejects
        if limit is not None:
            text = f"{self.in_a_row} parts in a row were rejected"
            self._set("consecutive_rejects", self.in_a_row >= limit, self.in_a_row == 0, text, seq)

    def _judge_rate(self, name: str, seen: RollingShare, limit: float | None, seq: int) -> None:
        if limit is not None:
            self._set(name, seen.above(limit), not seen.above(limit * OVER_AT), f"{seen}, limit {limit:.1%}", seq)

    def _set(self, name: str, begins: bool, ends: bool, text: str, seq: int) -> None:
        if begins and name not in self._on:
            self._on.add(name)
            self._notes.append(Note("alarm", f"{name}: {text}", seq))
        elif ends and name in self._on:
            self._on.remove(name)
            self._notes.append(Note("alarm_over", name, seq))
