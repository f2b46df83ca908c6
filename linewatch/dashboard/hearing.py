"""What is heard from the line, and what was missed: decisions, heartbeats, events and status of one station."""

from collections import deque

from linewatch.core.wire import Event, Heartbeat, Status, WireDecision

FRESH_NS = 500_000_000  # ten heartbeats: after so long without one, nothing on the page may look alive
_RATE_S = 60.0
_LEAST_RATE_S = 10.0
_RECENT = 120  # parts
_DRIFT = "_drift"


class Hearing:
    """The latest of everything. Times are this process's monotonic ns at which something was heard.

    run: of the last heartbeat. missed: decisions that were sent and not heard. alarms: texts by name. ended: what the
    line said when it stopped by itself, empty while it runs.
    """

    def __init__(self) -> None:
        self.run = ""
        self.heard_ns: int | None = None
        self.last: WireDecision | None = None
        self.last_ns = 0
        self.status: Status | None = None
        self.missed = 0
        self.alarms: dict[str, str] = {}
        self.ended = ""
        self.slack_ms: deque[float] = deque(maxlen=_RECENT)
        self._came_ns: deque[int] = deque()
        self._first_ns: int | None = None
        self._up_to: int | None = None  # every part of the run up to here was heard or is in `missed`
        self._beyond: set[int] = set()

    def decision(self, decision: WireDecision, now_ns: int) -> None:
        if decision.run != self.run:
            self._begin(decision.run, 0 if self.run else None)
        self.last, self.last_ns = decision, now_ns
        self.slack_ms.append((decision.deadline_ns - decision.t_decision_ns) / 1e6)
        self._first_ns = self._first_ns or now_ns
        self._came_ns.append(now_ns)
        if self._up_to is None or decision.seq > self._up_to:
            self._beyond.add(decision.seq)

    def heartbeat(self, beat: Heartbeat, now_ns: int) -> None:
        """Everything up to its seq was sent: what is not here was lost on the way."""
        if beat.run != self.run:
            self._begin(beat.run, 0 if self.run else None)
        self.heard_ns = now_ns
        if self._up_to is not None:
            heard = {seq for seq in self._beyond if seq <= beat.seq}
            self.missed += max(0, beat.seq - self._up_to - len(heard))
        self._beyond = {seq for seq in self._beyond if seq > beat.seq}
        self._up_to = beat.seq

    def take_status(self, status: Status) -> None:
        self.status = status

    def event(self, event: Event) -> None:
        match event.kind:
            case "alarm":
                name, _, text = event.text.partition(": ")
                self.alarms[name] = text
            case "alarm_over":
                self.alarms.pop(event.text, None)
            case "child_died" if event.text.startswith("inspector"):  # with it, what its pictures were compared with
                self.alarms = {name: text for name, text in self.alarms.items() if not name.endswith(_DRIFT)}
            case "stopping" | "stopped":
                self.ended = event.text

    def age_ns(self, now_ns: int) -> int | None:
        """Since the last heartbeat; none before the first."""
        return None if self.heard_ns is None else now_ns - self.heard_ns

    def is_fresh(self, now_ns: int) -> bool:
        age_ns = self.age_ns(now_ns)
        return age_ns is not None and age_ns <= FRESH_NS

    def per_minute(self, now_ns: int) -> float | None:
        """Parts a minute over the last minute, or over the time since the first part when that is shorter."""
        if self._first_ns is None:
            return None
        while self._came_ns and now_ns - self._came_ns[0] > _RATE_S * 1e9:
            self._came_ns.popleft()
        watched_s = min(_RATE_S, (now_ns - self._first_ns) / 1e9)
        return len(self._came_ns) * 60 / max(watched_s, _LEAST_RATE_S)

    def alarm_names(self) -> tuple[str, ...]:
        """Those of the status, and drift, which only events tell; sorted."""
        said = self.status.alarms if self.status is not None else ()
        return tuple(sorted({*said, *(name for name in self.alarms if name.endswith(_DRIFT))}))

    def alarms_on(self) -> tuple[str, ...]:
        """In words, as far as their beginning was heard."""
        return tuple(f"{name}: {self.alarms.get(name, '')}".removesuffix(": ") for name in self.alarm_names())

    def _begin(self, run: str, up_to: int | None) -> None:
        """Another run. up_to: none when it went on before this page listened."""
        self.run, self._up_to = run, up_to
        self._beyond.clear()
        self.alarms.clear()
        self.status = None
        self.ended = ""
