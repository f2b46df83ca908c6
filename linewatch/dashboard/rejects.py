"""The last rejected parts: known at once from the wire, with their pictures once the recorder has written them."""

from dataclasses import dataclass
from datetime import datetime

from linewatch.core.messages import Verdict
from linewatch.core.wire import WireDecision
from linewatch.dashboard.pictures import Shown
from linewatch.dashboard.views import Reject, Tone
from linewatch.records.decision_log import DecisionLine

SHOWN = 8
_PATIENCE_NS = 5_000_000_000


@dataclass(frozen=True)
class _Entry:
    seq: int
    tone: Tone
    title: str
    why: str
    time: str
    heard_ns: int
    shown: Shown | None = None


class Rejects:
    """The newest eight, by run and seq."""

    def __init__(self) -> None:
        self._entries: dict[tuple[str, int], _Entry] = {}

    def heard(self, decision: WireDecision, now_ns: int, now: datetime) -> None:
        """A decision came over the wire."""
        key = decision.run, decision.seq
        if decision.verdict is Verdict.REJECT and key not in self._entries:
            title, tone = _title(decision.label, decision.score, decision.cause.value, decision.cause.is_failsafe)
            self._keep(key, _Entry(decision.seq, tone, title, "", f"{now:%H:%M:%S}", now_ns))

    def logged(self, run: str, line: DecisionLine, shown: Shown, now_ns: int) -> None:
        """The recorder has written it down."""
        if line.verdict is Verdict.REJECT:
            title, tone = _title(line.label, line.score, line.cause.value, line.cause.is_failsafe)
            time = _local(line.times.wall)
            self._keep((run, line.seq), _Entry(line.seq, tone, title, line.reason, time, now_ns, shown))

    def wants(self, run: str, line: DecisionLine) -> bool:
        """Whether the line's picture would be shown: only of rejects that are not older than those here."""
        if line.verdict is not Verdict.REJECT:
            return False
        return (run, line.seq) in self._entries or len(self._entries) < SHOWN or (run, line.seq) > min(self._entries)

    def view(self, now_ns: int) -> tuple[Reject, ...]:
        """Newest first."""
        newest = sorted(self._entries.items(), reverse=True)
        return tuple(_view(run, entry, now_ns) for (run, _), entry in newest)

    def _keep(self, key: tuple[str, int], entry: _Entry) -> None:
        self._entries[key] = entry
        if len(self._entries) > SHOWN:
            del self._entries[min(self._entries)]  # run ids begin with their time


def _title(label: str, score: float, cause: str, in_doubt: bool) -> tuple[str, Tone]:
    if in_doubt:
        return cause, "doubt"
    return (f"{label} {score:.2f}" if label else cause), "reject"


def _view(run: str, entry: _Entry, now_ns: int) -> Reject:
    shown = entry.shown
    if shown is None:
        late = now_ns - entry.heard_ns > _PATIENCE_NS
        shown = Shown(reason="the recorder has not written it" if late else "waiting for the recorder")
    return Reject(
        seq=entry.seq,
        tone=entry.tone,
        title=entry.title,
        why=entry.why,
        time=entry.time,
        picture=f"/pictures/{run}/{shown.file}" if shown.file else "",
        size=shown.size,
        view=shown.view,
        boxes=shown.boxes,
        no_picture=shown.reason,
    )


def _local(wall: str) -> str:
    """HH:MM:SS of this machine; empty when the log's time cannot be read."""
    try:
        return f"{datetime.fromisoformat(wall).astimezone():%H:%M:%S}"
    except ValueError:
        return ""
