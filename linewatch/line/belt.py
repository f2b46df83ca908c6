"""Where the belt stands: the gate's encoder counts as one count since the run began, and when not to believe it.

Pure. In doubt (the encoder silent, counting backwards, or faster than full speed) nobody knows where the parts between
gate and rejecter are: they are all rejected until the belt has carried the last of them past the rejecter.
"""

from collections import deque

from linewatch.core.messages import Note
from linewatch.triggers.protocol import COUNTERS

SILENCE_NS = 250_000_000  # the gate says its count every 20 ms, also while the belt stands
FASTEST = 1.1  # times full speed
WIGGLE_NS = 10_000_000  # an encoder on a belt that stands may count back what full speed counts in this time
LATCHED_NS = 100_000_000  # a part's count may be older than the report before it by what full speed counts in this time
_SLACK_NS = 250_000_000  # how late the host may have read a count
_WINDOW_NS = 1_000_000_000
_MEMORY = 256  # readings, some seconds


class Belt:
    """One run's belt. count: since the run began, never falls. t_ns: when the gate said it."""

    def __init__(self, encoder_counts: int, transport_ms: float, now_ns: int, *, occupied: bool) -> None:
        """encoder_counts, transport_ms: gate to rejecter, at full speed. occupied: parts of a run before lie on it."""
        self._travel = encoder_counts
        self._full_speed = encoder_counts / (transport_ms * 1e6)  # counts a nanosecond
        self._raw: int | None = None
        self._readings: deque[tuple[int, int]] = deque(maxlen=_MEMORY)  # time, count
        self._clear_at = encoder_counts if occupied else 0
        self._doubt = "parts of the run before are on the belt" if occupied else ""
        self._silent = self._too_fast = False
        self.count = 0
        self.t_ns = now_ns

    @property
    def trouble(self) -> str:
        """Why nobody knows where parts are; empty while it is known."""
        if self._silent:
            return "the encoder is silent"
        return self._doubt

    def moved(self, raw: int, now_ns: int) -> list[Note]:
        """The gate's encoder stands at `raw` (32 bit)."""
        wiggles = self._behind(raw) <= max(1, round(self._full_speed * WIGGLE_NS))
        before, self._raw = self._raw, self._raw if wiggles else raw
        step = 0 if wiggles or before is None else (raw - before) % COUNTERS
        notes = self.tick(now_ns)
        if self._silent:
            self._silent = False
            self._distrust("the encoder was silent")
        if step >= COUNTERS // 2:
            self._distrust("the encoder counted backwards")
            notes.append(Note("encoder_backwards", f"from {before} to {raw}: all is rejected until the belt is clear"))
        else:
            self.count += step
        self.t_ns = now_ns
        self._readings.append((now_ns, self.count))
        return [*notes, *self._judge_speed(), *self._cleared()]

    def tick(self, now_ns: int) -> list[Note]:
        """See whether the encoder has fallen silent."""
        if self._silent or now_ns - self.t_ns <= SILENCE_NS:
            return []
        self._silent = True
        return [Note("encoder_silent", f"no count for {SILENCE_NS // 1_000_000} ms: all is rejected")]

    def at(self, t_ns: int) -> int:
        """Where the belt stood at `t_ns`, between two readings in proportion."""
        later: tuple[int, int] | None = None
        for t_read_ns, count in reversed(self._readings):
            if t_read_ns <= t_ns:
                return count if later is None else _between(t_ns, (t_read_ns, count), later)
            later = (t_read_ns, count)
        return self.count if later is None else later[1]

    def latched(self, raw: int) -> int | None:
        """Where the belt stood when the gate took `raw`, if that was just before its last report; none for news."""
        behind = self._behind(raw)
        return max(0, self.count - behind) if behind <= round(self._full_speed * LATCHED_NS) else None

    def _behind(self, raw: int) -> int:
        """How far `raw` is behind the last reading; COUNTERS before the first."""
        return COUNTERS if self._raw is None else (self._raw - raw) % COUNTERS

    def _judge_speed(self) -> list[Note]:
        t_ns, count = self._readings[-1]
        first_ns, first = next(one for one in self._readings if t_ns - one[0] <= _WINDOW_NS)
        known, self._too_fast = self._too_fast, count - first > self._most(t_ns - first_ns)
        if not self._too_fast:
            return []
        self._distrust("the belt was faster than full speed")
        return [] if known else [Note("belt_too_fast", "all is rejected: parts may pass the rejecter undecided")]

    def _most(self, elapsed_ns: int) -> float:
        """Counts that a belt at full speed can show within a time, read late at the worst."""
        return FASTEST * self._full_speed * (elapsed_ns + _SLACK_NS)

    def _distrust(self, why: str) -> None:
        self._doubt, self._clear_at = why, self.count + self._travel

    def _cleared(self) -> list[Note]:
        if not self._doubt or self.count < self._clear_at:
            return []
        self._doubt = ""
        return [Note("belt_clear", "every part on the belt has a place that is known")]


def _between(t_ns: int, before: tuple[int, int], after: tuple[int, int]) -> int:
    return before[1] + (after[1] - before[1]) * (t_ns - before[0]) // (after[0] - before[0])
