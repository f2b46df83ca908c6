"""Everything that the page, the metrics and the health checks speak of, in one place; one thread changes it."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from linewatch.core.clock import Clock
from linewatch.core.station import Station
from linewatch.core.wire import Event, FromLine, Heartbeat, Status, WireDecision
from linewatch.dashboard.counts import ShiftCounts
from linewatch.dashboard.hearing import Hearing
from linewatch.dashboard.machine import Machine
from linewatch.dashboard.pictures import Shown
from linewatch.dashboard.rejects import Rejects
from linewatch.records.decision_log import DecisionLine

STAGES = ("capture", "inspect", "decide")
_RECENT = 120  # parts


@dataclass(frozen=True)
class InUse:
    """What the station file names. sha256: of the weights, hex. picture_px: of the rectified picture.

    endpoint: where the line is listened to.
    """

    model: str
    sha256: str
    calibration: str
    picture_px: tuple[int, int]
    endpoint: str


def stages_of(line: DecisionLine) -> dict[str, float]:
    """Seconds of each stage that the part came through: trigger to exposure, to inspection, to decision."""
    times = line.times
    reached = (times.t_trigger_ns, times.t_exposed_ns, times.t_inspected_ns, times.t_decision_ns)
    pairs = zip(STAGES, reached, reached[1:], strict=False)
    return {name: (after - before) / 1e9 for name, before, after in pairs if before and after}


class Board:
    """The state of one station's page. changed: how often something came that the page shows at once."""

    def __init__(self, station: Station, use: InUse, clock: Clock) -> None:
        self.station = station
        self.use = use
        self.clock = clock
        self.hearing = Hearing()
        self.counts = ShiftCounts(station.shifts, station.shifts.current(datetime.now(UTC)).begin)
        self.rejects = Rejects()
        self.machine = Machine()
        self.stages: dict[str, deque[float]] = {name: deque(maxlen=_RECENT) for name in STAGES}
        self.logged: tuple[str, int] | None = None  # run and highest seq in the decision log
        self.undecodable = 0
        self.changed = 0

    def heard(self, message: FromLine) -> None:
        """Take one message of the line."""
        now_ns, now = self.clock.now_ns(), datetime.now().astimezone()
        match message:
            case WireDecision():
                self.counts.turn(now)
                self.hearing.decision(message, now_ns)
                self.counts.add(message.run, message.seq, message.cause, message.label)
                self.rejects.heard(message, now_ns, now)
                self.changed += 1
            case Heartbeat():
                self.hearing.heartbeat(message, now_ns)
            case Status():
                self.hearing.take_status(message)
            case Event():
                self.hearing.event(message)
                self.changed += 1

    def logs(self, run: str, line: DecisionLine, shown: Shown | None) -> None:
        """Take one line of a run's decision log. shown: its picture, when it is wanted."""
        if line.times.wall >= self.since_utc:
            self.counts.add(run, line.seq, line.cause, line.label)
        if shown is not None:
            self.rejects.logged(run, line, shown, self.clock.now_ns())
            self.changed += 1
        for name, seconds in stages_of(line).items():
            self.stages[name].append(seconds)
        before = self.logged[1] if self.logged is not None and self.logged[0] == run else 0
        self.logged = run, max(before, line.seq)

    @property
    def since_utc(self) -> str:
        """When the shift began, as the log writes its times."""
        return self.counts.since.astimezone(UTC).isoformat(timespec="milliseconds")

    @property
    def unlogged(self) -> int:
        """Decisions of this run that are not in its log yet: how far the recorder is behind."""
        last = self.hearing.last
        if last is None or last.run != self.hearing.run:
            return 0
        logged = self.logged[1] if self.logged is not None and self.logged[0] == last.run else 0
        return max(0, last.seq - logged)

    def stage_medians(self) -> tuple[tuple[str, float], ...]:
        """Name and milliseconds."""
        return tuple((name, round(median(seen) * 1e3, 1)) for name, seen in self.stages.items() if seen)
