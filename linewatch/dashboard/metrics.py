"""What Prometheus scrapes: histograms filled as parts come, and gauges read off the board when asked."""

from collections.abc import Callable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from linewatch.core.version import version
from linewatch.core.wire import FromLine, Status, WireDecision
from linewatch.dashboard.board import Board, stages_of
from linewatch.dashboard.health import line_health, unready
from linewatch.records.decision_log import DecisionLine

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SLACK_S = (-0.1, -0.01, 0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_STAGE_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_BATCH = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """One registry; counters begin at 0 with this process, as Prometheus expects."""

    def __init__(self, board: Board) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks for
        self.registry = CollectorRegistry()
        self._decisions = Counter(
            "linewatch_decisions", "Decisions heard.", ("verdict", "cause"), registry=self.registry
        )
        self._slack = Histogram(
            "linewatch_slack_seconds", "Time left from decision to deadline.", buckets=_SLACK_S, registry=self.registry
        )
        self._stages = Histogram(
            "linewatch_stage_seconds",
            "Trigger to exposure (capture), to inspection (inspect), to decision (decide), from the decision log.",
            ("stage",),
            buckets=_STAGE_S,
            registry=self.registry,
        )
        self._batch = Histogram(
            "linewatch_batch_parts",
            "Parts inspected together, from the decision log.",
            buckets=_BATCH,
            registry=self.registry,
        )
        self.registry.register(_BoardCollector(board))

    def heard(self, message: FromLine) -> None:
        if isinstance(message, WireDecision):
            self._decisions.labels(message.verdict.value, message.cause.value).inc()
            self._slack.observe((message.deadline_ns - message.t_decision_ns) / 1e9)

    def logged(self, line: DecisionLine) -> None:
        for name, seconds in stages_of(line).items():
            self._stages.labels(name).observe(seconds)
        if line.times.batch:
            self._batch.observe(line.times.batch)

    def text(self) -> bytes:
        """Prometheus' text format."""
        return generate_latest(self.registry)


class _BoardCollector(Collector):
    def __init__(self, board: Board) -> None:
        self._board = board

    def collect(self) -> Iterator[Metric]:
        yield from self._page_itself()
        yield from self._status(self._board.hearing.status)
        yield from self._machine()

    def _page_itself(self) -> Iterator[Metric]:
        board, now_ns = self._board, self._board.clock.now_ns()
        info = InfoMetricFamily("linewatch_station", "What is in use, by the station file.")
        use = board.use
        names = {"station": board.station.name, "recipe": board.station.recipe, "calibration": use.calibration}
        info.add_metric([], {**names, "model": use.model, "sha256": use.sha256})
        yield info
        build = InfoMetricFamily("linewatch_build", "What gives these metrics.")
        build.add_metric([], {"version": version()})
        yield build
        age_ns = board.hearing.age_ns(now_ns)
        age_s = float("inf") if age_ns is None else age_ns / 1e9
        yield _gauge("linewatch_heartbeat_age_seconds", "Since the last heartbeat; +Inf before the first.", age_s)
        yield _gauge("linewatch_ready", "1 when the line is warm and heard.", float(not unready(board, now_ns)))
        yield from self._line(now_ns)
        missed = CounterMetricFamily("linewatch_missed_decisions", "Sent by the line and not heard here.")
        missed.add_metric([], board.hearing.missed)
        unread = CounterMetricFamily("linewatch_undecodable_messages", "Heard and not understood.")
        unread.add_metric([], board.undecodable)
        yield from (missed, unread)
        yield _gauge("linewatch_unlogged_parts", "Decided and not in the decision log yet.", board.unlogged)

    def _line(self, now_ns: int) -> Iterator[Metric]:
        """The state in the page's word, the last verdict, and what the shift has brought so far."""
        board = self._board
        state = GaugeMetricFamily("linewatch_state", "1 for the line's state, in a word.", labels=("state",))
        state.add_metric([line_health(board, now_ns).word], 1.0)
        last, counts = board.hearing.last, board.counts
        age_s = None if last is None else (now_ns - board.hearing.last_ns) / 1e9
        verdict = GaugeMetricFamily("linewatch_last_verdict", "1 for the last part's.", labels=("verdict", "cause"))
        if last is not None:
            verdict.add_metric([last.verdict.value, last.cause.value], 1.0)
        shift = GaugeMetricFamily("linewatch_shift_parts", "Of this shift: pass, defect, doubt.", labels=("outcome",))
        counts.turn(datetime.now().astimezone())
        for outcome, count in (("pass", counts.passed), ("defect", counts.defects), ("doubt", counts.failsafe)):
            shift.add_metric([outcome], count)
        yield from (state, verdict, shift)
        yield _gauge("linewatch_last_decision_age_seconds", "Since the last decision heard.", age_s)
        per_minute = board.hearing.per_minute(now_ns) if board.hearing.is_fresh(now_ns) else None
        yield _gauge("linewatch_parts_per_minute", "Of the last minute.", per_minute)
        limits = board.station.alarms
        yield _gauge("linewatch_reject_ratio_limit", "Alarm limit; none without one.", limits.reject_rate)
        yield _gauge("linewatch_failsafe_ratio_limit", "Alarm limit; none without one.", limits.failsafe_rate)

    def _status(self, status: Status | None) -> Iterator[Metric]:
        """Of the present run; without samples before its first status."""
        triggers = CounterMetricFamily("linewatch_triggers", "Parts at the gate in this run.")
        unconfirmed = CounterMetricFamily("linewatch_unconfirmed", "Decisions that an actuator never acknowledged.")
        unrecorded = CounterMetricFamily("linewatch_unrecorded", "Decisions that no log will have.")
        behind = CounterMetricFamily("linewatch_observers_behind", "Times that an observer was too slow.")
        children = GaugeMetricFamily("linewatch_child_ready", "1 when the process is warm.", labels=("child",))
        alarms = GaugeMetricFamily("linewatch_alarm", "1 for each alarm that is on.", labels=("alarm",))
        gauges: dict[str, tuple[str, Callable[[Status], float]]] = {
            "linewatch_gate_open": ("1 when the gate's port is open.", lambda said: float(said.gate)),
            "linewatch_in_flight_parts": ("Parts without a decision.", lambda said: said.in_flight),
            "linewatch_actuators": ("Actuators registered.", lambda said: said.actuators),
            "linewatch_reject_ratio": ("Rejected, of the last parts.", lambda said: said.reject_rate),
            "linewatch_failsafe_ratio": ("Rejected in doubt, of the last parts.", lambda said: said.failsafe_rate),
            "linewatch_rejects_in_a_row": ("Rejected parts up to now.", lambda said: said.in_a_row),
        }
        if status is not None:
            triggers.add_metric([], status.triggers)
            unconfirmed.add_metric([], status.unconfirmed)
            unrecorded.add_metric([], status.unrecorded)
            behind.add_metric([], status.behind)
            for name, state in status.children.items():
                children.add_metric([name], float(state == "ready"))
            for alarm in self._board.hearing.alarm_names():
                alarms.add_metric([alarm], 1.0)
        yield from (triggers, unconfirmed, unrecorded, behind, children, alarms)
        for name, (text, value) in gauges.items():
            yield _gauge(name, text, None if status is None else value(status))

    def _machine(self) -> Iterator[Metric]:
        board, machine = self._board, self._board.machine
        floor = board.station.storage.floor_mb * 1e6
        yield _gauge("linewatch_disk_free_bytes", "Free where the runs are kept.", machine.free_bytes)
        yield _gauge("linewatch_disk_floor_bytes", "Below it no pictures are kept.", floor)
        busy = GaugeMetricFamily("linewatch_gpu_busy_ratio", "Of the last second or so.", labels=("gpu",))
        used = GaugeMetricFamily("linewatch_gpu_memory_used_bytes", "Memory in use.", labels=("gpu",))
        celsius = GaugeMetricFamily("linewatch_gpu_celsius", "Temperature.", labels=("gpu",))
        for gpu in machine.gpus:
            busy.add_metric([gpu.index], gpu.busy)
            used.add_metric([gpu.index], gpu.memory_bytes)
            celsius.add_metric([gpu.index], gpu.celsius)
        yield from (busy, used, celsius)


def _gauge(name: str, text: str, value: float | None) -> Metric:
    """Without a sample when there is no value."""
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric([], value)
    return family
