"""The loop that decides: gate, children, subscribers and the clock in; decisions out. One thread, and it never waits
for anybody but the next event.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import zmq

from linewatch.core.clock import Clock, wall_time
from linewatch.core.messages import (
    AnyMessage,
    Cause,
    FrameFailed,
    FrameReady,
    Inspection,
    Logged,
    Looked,
    Note,
    Ready,
    Record,
)
from linewatch.core.wire import STATUS_NS
from linewatch.line.alarms import Alarms
from linewatch.line.belt import Belt
from linewatch.line.bulletin import Bulletin
from linewatch.line.last_run import LastRun
from linewatch.line.publisher import Publisher
from linewatch.line.record_queue import RecordQueue
from linewatch.line.sequencer import CAMERA, INSPECTOR, Sequencer
from linewatch.line.shadow_feed import ShadowFeed
from linewatch.line.status import status_of
from linewatch.line.supervised import Death, Supervised
from linewatch.line.supervisor import SHADOW, Supervisor
from linewatch.line.systemd import Notifier
from linewatch.line.waker import Waker
from linewatch.triggers.gate import BeltCount, Edge, Gate, GateEvent

RECORDER = "recorder"
DRAIN_NS = 1_000_000_000  # at the end: for the parts in flight
TERM_NS = 1_400_000_000  # then the children have until here to end by themselves
KILL_NS = 1_700_000_000  # and until here after SIGTERM

Source = Any  # a file descriptor or a ZeroMQ socket


class Controller:
    """One run of one station. `run` returns the exit code when told to stop or when the station is misconfigured."""

    def __init__(
        self,
        gate: Gate,
        supervisor: Supervisor,
        sequencer: Sequencer,
        alarms: Alarms,
        publisher: Publisher,
        bulletin: Bulletin,
        last_run: LastRun,
        notifier: Notifier,
        waker: Waker,
        clock: Clock,
        limit: int | None = None,
        belt: Belt | None = None,
    ) -> None:
        """limit: stop after so many parts, and record no more than these; none runs until told to stop.

        belt: where parts are tracked by the encoder's counts.
        """
        self._gate = gate
        self._supervisor = supervisor
        self._sequencer = sequencer
        self._alarms = alarms
        self._publisher = publisher
        self._bulletin = bulletin
        self._last_run = last_run
        self._notifier = notifier
        self._waker = waker
        self._clock = clock
        self._limit = limit
        self._belt = belt
        self._poller = zmq.Poller()
        self._polled: set[Source] = set()
        self._progress = 0
        self._records = RecordQueue(partial(supervisor.send, RECORDER))
        self._recording = True
        self._shadow = ShadowFeed(partial(supervisor.send, SHADOW))
        self._status_ns = 0
        self._stopped_ns: int | None = None
        self._exit_code = 0

    def run(self, opening: list[Note]) -> int:
        """Decide until stopped; then decide what is in flight, end the children, and return the exit code.

        opening: how the run begins, told to observers that come later as well.
        """
        self._notifier.ready("starting")
        self._publisher.repeat_to_newcomers(opening)
        for note in opening:
            self._bulletin.say(note, self._clock.now_ns())
        self._tick(self._clock.now_ns())
        while not self._finished():
            for handle in self._wait():
                handle()
            self._send_decisions()
            self._tick(self._clock.now_ns())
        self._end()
        return self._exit_code

    # The loop

    def _wait(self) -> list[Callable[[], None]]:
        """What has something to say, the gate first; nothing when the time of something else has come."""
        handlers = self._handlers()
        for gone in self._polled - handlers.keys():
            self._poller.unregister(gone)
        for new in handlers.keys() - self._polled:
            self._poller.register(new, zmq.POLLIN)
        self._polled = set(handlers)
        ready = {source for source, _ in self._poller.poll(self._wait_ms())}
        return [handle for source, handle in handlers.items() if source in ready]

    def _handlers(self) -> dict[Source, Callable[[], None]]:
        handlers: dict[Source, Callable[[], None]] = {}
        if self._gate.fileno() >= 0:
            handlers[self._gate.fileno()] = self._read_gate
        for child in self._supervisor.children.values():
            if child.fileno() >= 0:
                handlers[child.fileno()] = partial(self._hear, child)
        handlers[self._publisher.actuators.socket] = self._hear_actuators
        handlers[self._publisher.observers.socket] = self._hear_observers
        handlers[self._waker.fileno()] = self._waker.drain
        if self._publisher.admission is not None:
            handlers.update(self._publisher.admission.handlers())
        return handlers

    def _wait_ms(self) -> int:
        due = (
            self._sequencer.next_deadline_ns(),
            self._gate.next_due_ns(),
            self._supervisor.next_due_ns(),
            self._publisher.next_due_ns(),
        )
        next_ns = min(at for at in due if at is not None)
        return max(0, -(-(next_ns - self._clock.now_ns()) // 1_000_000))

    def _send_decisions(self) -> None:
        now_ns = self._clock.now_ns()
        records = self._sequencer.due(now_ns)
        for record in records:
            self._publisher.decide(record.decision, now_ns)
        for record in records:
            if self._limit is None or record.decision.seq <= self._limit:
                self._record(record)
            self._alarms.decided(record.decision)
            self._shadow.offer(record)
        if self._limit is not None and self._sequencer.decided_up_to >= self._limit:
            self._waker.stop()
        self._remember()
        for note in (*self._sequencer.notes(), *self._alarms.notes()):
            self._bulletin.say(note, now_ns)

    def _tick(self, now_ns: int) -> None:
        """Everything whose time has come, from the loop itself, so that a hung loop goes silent."""
        self._progress += 1
        due_ns = self._gate.next_due_ns()
        if due_ns is not None and due_ns <= now_ns:
            self._read_gate()
        for death in self._supervisor.tick(now_ns):
            self._mourn(death, now_ns)
        for note in self._publisher.tick(now_ns):
            self._bulletin.say(note, now_ns)
        self._alarms.tick(now_ns)
        self._send_decisions()
        self._records.flush()
        self._say_recording(now_ns)
        if self._publisher.beat(self._sequencer.decided_up_to, self._progress, now_ns):
            self._notifier.watchdog()
            self._tell_belt([] if self._belt is None else self._belt.tick(now_ns))
            self._tell_status(now_ns)

    # What comes in

    def _read_gate(self) -> None:
        for found in self._gate.read():
            match found:
                case Edge():
                    self._open(found)
                case BeltCount():
                    self._move_belt(found.count)
                case GateEvent():
                    self._bulletin.say(Note(found.kind, found.text), self._clock.now_ns())

    def _open(self, edge: Edge) -> None:
        now_ns = self._clock.now_ns()
        expose = self._sequencer.open(edge.counter, edge.t_ns, now_ns, missed=edge.missed, count=self._place(edge))
        self._remember()
        if expose is None:
            return
        if not self._supervisor.send(CAMERA, expose):
            self._sequencer.refuse(expose.seq, Cause.NO_FRAME, "the camera process cannot be reached", now_ns)
        self._gate.fire_light(edge.counter)

    def _place(self, edge: Edge) -> int | None:
        """Where the belt stood when the part was at the gate; none where parts are not tracked."""
        if self._belt is None:
            return None
        if edge.count is None:
            return self._belt.at(edge.t_ns)
        behind = self._belt.latched(edge.count)
        if behind is not None:
            return behind
        self._move_belt(edge.count)
        return self._belt.count

    def _move_belt(self, raw: int) -> None:
        if self._belt is not None:
            self._tell_belt(self._belt.moved(raw, self._clock.now_ns()))

    def _tell_belt(self, notes: list[Note]) -> None:
        if self._belt is not None:
            self._publisher.belt(self._belt.count, self._belt.t_ns, self._belt.trouble)
        for note in notes:
            self._bulletin.say(note, self._clock.now_ns())

    def _hear(self, child: Supervised) -> None:
        now_ns = self._clock.now_ns()
        for message in self._supervisor.receive(child, now_ns):
            if isinstance(message, Death):
                self._mourn(message, now_ns)
            else:
                self._take(child.spec.name, message, now_ns)

    def _take(self, child: str, message: AnyMessage, now_ns: int) -> None:
        match message:
            case FrameReady() if child == CAMERA:
                self._order_inspection(message, now_ns)
            case FrameFailed() if child == CAMERA:
                self._sequencer.failed(message, now_ns)
            case Inspection() if child == INSPECTOR:
                self._sequencer.inspected(message, now_ns)
            case Logged() if child == RECORDER:
                self._records.logged(message.count)
            case Looked() if child == SHADOW:
                self._shadow.looked(message.seq)
            case Ready():
                self._shadow.is_there |= child == SHADOW
                self._sequencer.child_ready(child)
                self._status_ns = 0
                self._bulletin.say(Note("child_ready", f"{child}: {message.detail}"), now_ns)
                self._say_status()
            case Note():
                self._bulletin.say(message, now_ns)
            case _:
                pass

    def _order_inspection(self, frame: FrameReady, now_ns: int) -> None:
        inspect = self._sequencer.captured(frame, now_ns)
        if inspect is not None and not self._supervisor.send(INSPECTOR, inspect):
            self._sequencer.refuse(frame.seq, Cause.MODEL_ERROR, "the inspector process cannot be reached", now_ns)

    def _hear_actuators(self) -> None:
        now_ns = self._clock.now_ns()
        for note in self._publisher.actuators.receive(now_ns):
            self._bulletin.say(note, now_ns)
        for report in self._publisher.actuators.ejections():
            self._alarms.ejected(report.seq, confirmed=report.confirmed)

    def _hear_observers(self) -> None:
        self._publisher.welcome_observers(self._clock.now_ns())

    def _mourn(self, death: Death, now_ns: int) -> None:
        """A child is gone: so are its parts; the supervisor starts it again, unless the station is to blame."""
        self._status_ns = 0  # observers hear of it with the next heartbeat
        self._sequencer.child_lost(death.child, now_ns)
        if death.child == RECORDER:
            self._records.recorder_died()
        if death.child == SHADOW:
            self._shadow.lost()
        self._bulletin.say(Note("child_died", f"{death.child} {death.reason}"), now_ns)
        self._say_status()
        refusal = self._supervisor.refusal(death)
        if refusal is not None:
            self._exit_code = refusal
            self._waker.stop()

    # What goes out, and the end

    def _record(self, record: Record) -> None:
        """Give a decision to the recorder, which may be slow or dead: what it has not logged is kept for it."""
        self._records.add(msgspec.structs.replace(record, wall=wall_time()))

    def _say_recording(self, now_ns: int) -> None:
        """People hear when decisions begin to wait for the recorder, and when none waits any more."""
        keeps_up = self._records.waiting == 0
        if keeps_up == self._recording:
            return
        self._recording = keeps_up
        kind, text = (
            ("recorder_keeps_up", f"{self._records.lost} decisions of this run are in no log")
            if keeps_up
            else ("recorder_behind", "decisions are made, and wait for the recorder")
        )
        self._bulletin.say(Note(kind, text, self._sequencer.last_seq), now_ns)

    def _remember(self) -> None:
        """What the next run must be able to say of this one, should it be killed now."""
        self._last_run.note(self._sequencer.last_seq, self._sequencer.counters.decided)

    def _tell_status(self, now_ns: int) -> None:
        """To observers, now and then, and only with a heartbeat: the loop is not woken for it."""
        if now_ns >= self._status_ns:
            self._status_ns = now_ns + STATUS_NS
            status = status_of(
                self._sequencer, self._supervisor, self._alarms, self._publisher, self._gate, self._records.lost, now_ns
            )
            self._publisher.tell_status(status)

    def _say_status(self) -> None:
        absent = [name for name, child in self._supervisor.needed.items() if child.state != "ready"]
        self._notifier.status(f"waiting for {', '.join(absent)}" if absent else "inspecting")

    def _finished(self) -> bool:
        """Turn to stopping when asked to; true once nothing is in flight any more."""
        if self._waker.stop_wanted and self._stopped_ns is None:
            self._stopped_ns = self._clock.now_ns()
            self._sequencer.stop(self._stopped_ns + DRAIN_NS)
            self._notifier.stopping("deciding the parts in flight")
            text = f"{self._sequencer.in_flight} parts in flight"
            self._bulletin.say(Note("stopping", text, self._sequencer.last_seq), self._stopped_ns)
        return self._stopped_ns is not None and self._sequencer.in_flight == 0

    def _end(self) -> None:
        began_ns = self._stopped_ns or self._clock.now_ns()
        counters = self._sequencer.counters
        text = f"{counters.triggers} triggers, {counters.decided} decisions"
        self._bulletin.say(Note("stopped", text, self._sequencer.last_seq), self._clock.now_ns())
        self._records.flush()
        if self._records.waiting:
            text = f"{self._records.lost + self._records.waiting} decisions of this run are in no log"
            self._bulletin.say(Note("recorder_behind", text), self._clock.now_ns())
        if SHADOW in self._supervisor.children:
            self._bulletin.say(Note("shadow_ended", str(self._shadow)), self._clock.now_ns())
        self._supervisor.stop(began_ns + TERM_NS, began_ns + KILL_NS)
        self._last_run.end(self._sequencer.last_seq, counters.decided)
