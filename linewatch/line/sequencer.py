"""The ledger of parts: guilty until proven good, exactly one decision for each.

A pure state machine: events with their times go in, decisions and notes come out; no IO and no clock of its own, so
that replay runs the same code over recorded times. A part is opened by its trigger as REJECT(timeout); only an
inspection that says ok and comes before the deadline makes it a PASS. Decisions leave in the order in which parts are
settled, which need not be that of `seq`.
"""

from dataclasses import dataclass, field

from linewatch.core.messages import (
    Cause,
    Decision,
    Detection,
    Expose,
    FrameFailed,
    FrameReady,
    Inspect,
    Inspection,
    Note,
    Record,
    Tracking,
    Verdict,
)
from linewatch.line.judging import judge, strongest
from linewatch.line.rules import Counters, Rules

CAMERA = "camera"
INSPECTOR = "inspector"
_NEEDED = (CAMERA, INSPECTOR)


@dataclass
class _Part:
    """A part in flight. due_ns: when it is settled as `due_cause` if nothing else has settled it."""

    seq: int
    counter: int
    t_trigger_ns: int
    due_ns: int
    due_cause: Cause = Cause.TIMEOUT
    frame: FrameReady | None = None
    count: int | None = None
    detections: tuple[Detection, ...] = field(default=())
    t_inspected_ns: int = 0
    batch: int = 0


class Sequencer:
    """One run's parts. counters: what happened. last_seq: of the newest part."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._parts: dict[int, _Part] = {}
        self._settled: list[Record] = []
        self._notes: list[Note] = []
        self._ready: set[str] = set()
        self._stopping = False
        self._last_trigger_ns: int | None = None
        self.counters = Counters()
        self.last_seq = 0

    # Parts

    def open(
        self, counter: int, t_trigger_ns: int, now_ns: int, *, missed: bool = False, count: int | None = None
    ) -> Expose | None:
        """A part broke the gate. Returns the order to the camera, none when the part is rejected at once.

        missed: the gate's message was lost, so the part went by unseen and is REJECT(desync). count: where the belt
        stood, since the run began; none where parts are not tracked.
        """
        self._note_gap(t_trigger_ns)
        self.last_seq += 1
        self.counters.triggers += 1
        part = _Part(self.last_seq, counter, t_trigger_ns, t_trigger_ns + self._rules.deadline_ns, count=count)
        refusal = self._refusal(missed)
        self._parts[part.seq] = part
        if refusal is not None:
            self._settle(part, *refusal, now_ns)
            return None
        return Expose(part.seq, t_trigger_ns)

    def _refusal(self, missed: bool) -> tuple[Cause, str] | None:
        """Why a new part cannot even be tried."""
        if missed:
            return Cause.DESYNC, "the gate's message was lost"
        if self._stopping:
            return Cause.STOPPING, "the line is stopping"
        absent = [name for name in _NEEDED if name not in self._ready]
        if absent:
            return Cause.STARTING, f"{' and '.join(absent)} not ready"
        if self.in_flight >= self._rules.max_in_flight:
            return Cause.OVERRUN, f"{self.in_flight} parts are in flight"
        return None

    def captured(self, frame: FrameReady, now_ns: int) -> Inspect | None:
        """The camera has the frame. Returns the order to the inspector, none when there is nothing to inspect."""
        part = self._parts.get(frame.seq)
        if part is None or part.frame is not None:
            self._note_stray(frame.seq, "frame", "extra_frame")
            return None
        part.frame = frame
        apart_ns = frame.t_exposed_ns - part.t_trigger_ns
        if abs(apart_ns) > self._rules.max_capture_ns:
            reason = f"exposed {apart_ns / 1e6:.1f} ms after the trigger"
            self._settle(part, Cause.CAPTURE_JITTER, reason, now_ns)
            return None
        if INSPECTOR not in self._ready:
            self._settle(part, Cause.STARTING, "inspector not ready", now_ns)
            return None
        return Inspect(frame.seq, frame.slot, frame.generation, part.due_ns)

    def failed(self, failure: FrameFailed, now_ns: int) -> None:
        """The camera has no usable frame for a part."""
        part = self._parts.get(failure.seq)
        if part is None:
            self._note_stray(failure.seq, "failed frame", "extra_frame")
            return
        cause = failure.cause if failure.cause.is_failsafe else Cause.NO_FRAME
        self._settle(part, cause, failure.reason, now_ns)

    def inspected(self, inspection: Inspection, now_ns: int) -> None:
        """The inspector has an answer. After the deadline it is too late, whatever it says."""
        part = self._parts.get(inspection.seq)
        if part is None:
            self._note_stray(inspection.seq, "inspection", "extra_inspection")
        elif now_ns >= part.due_ns:
            self._settle(part, part.due_cause, _waited_for(part), now_ns)
            self._note_stray(inspection.seq, "inspection", "extra_inspection")
        elif part.frame is None:
            self._settle(part, Cause.DESYNC, "inspected before it had a frame", now_ns)
        else:
            part.detections = inspection.detections
            part.t_inspected_ns, part.batch = inspection.t_done_ns, inspection.batch
            self._settle(part, *judge(inspection), now_ns)

    def refuse(self, seq: int, cause: Cause, reason: str, now_ns: int) -> None:
        """A part in flight cannot be served; nothing happens if it is settled already."""
        if seq in self._parts:
            self._settle(self._parts[seq], cause, reason, now_ns)

    # Children and the end

    def child_ready(self, child: str) -> None:
        """Camera or inspector is warm and will answer."""
        self._ready.add(child)

    def child_lost(self, child: str, now_ns: int) -> None:
        """Camera or inspector is gone, and with it the parts it held."""
        self._ready.discard(child)
        for part in list(self._parts.values()):
            if child == CAMERA and part.frame is None:
                self._settle(part, Cause.NO_FRAME, "the camera process was lost", now_ns)
            elif child == INSPECTOR and part.frame is not None:
                self._settle(part, Cause.MODEL_ERROR, "the inspector process was lost", now_ns)

    def stop(self, until_ns: int) -> None:
        """No new parts; those in flight are settled by their deadline, at `until_ns` at the latest."""
        self._stopping = True
        for part in self._parts.values():
            if part.due_ns > until_ns:
                part.due_ns, part.due_cause = until_ns, Cause.STOPPING

    # What comes out

    def due(self, now_ns: int) -> list[Record]:
        """The decisions made since the last call, with those whose time is over now."""
        for part in [part for part in self._parts.values() if part.due_ns <= now_ns]:
            self._settle(part, part.due_cause, _waited_for(part), now_ns)
        settled, self._settled = self._settled, []
        return settled

    def notes(self) -> list[Note]:
        """What is worth a line in the log since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def next_deadline_ns(self) -> int | None:
        """When `due` must be called at the latest; none while no part is in flight."""
        return min((part.due_ns for part in self._parts.values()), default=None)

    @property
    def in_flight(self) -> int:
        """Parts without a decision."""
        return len(self._parts)

    @property
    def decided_up_to(self) -> int:
        """Every part up to this seq has its decision."""
        return min(self._parts, default=self.last_seq + 1) - 1

    def _settle(self, part: _Part, cause: Cause, reason: str, now_ns: int) -> None:
        """The one place where a decision is made; the part leaves the ledger with it."""
        del self._parts[part.seq]
        verdict = Verdict.PASS if cause is Cause.OK else Verdict.REJECT
        self.counters.decided += 1
        self.counters.verdicts[verdict] += 1
        self.counters.causes[cause] += 1
        named = strongest(part.detections)
        decision = Decision(
            station=self._rules.station,
            run=self._rules.run,
            seq=part.seq,
            verdict=verdict,
            cause=cause,
            t_trigger_ns=part.t_trigger_ns,
            t_decision_ns=now_ns,
            deadline_ns=part.t_trigger_ns + self._rules.deadline_ns,
            eject_delay_ms=self._rules.eject_delay_ms,
            score=named.score if named else 0.0,
            label=named.label if named else "",
            counter=part.counter,
            reason=reason,
            tracking=self._tracking(part),
        )
        self._settled.append(_record_of(part, decision))

    def _tracking(self, part: _Part) -> Tracking | None:
        travel = self._rules.encoder_counts
        if part.count is None or travel is None:
            return None
        return Tracking(part.count, part.count + travel, self._rules.reaction_ms)

    def _note_gap(self, t_trigger_ns: int) -> None:
        last_ns, self._last_trigger_ns = self._last_trigger_ns, t_trigger_ns
        if last_ns is not None and t_trigger_ns - last_ns < self._rules.min_gap_ns:
            apart_ms = (t_trigger_ns - last_ns) / 1e6
            self._notes.append(Note("min_gap", f"two triggers {apart_ms:.1f} ms apart", self.last_seq + 1))

    def _note_stray(self, seq: int, what: str, extra_kind: str) -> None:
        """Note a message that changes nothing: its part is decided, has one already, or never was."""
        if 0 < seq <= self.last_seq and seq not in self._parts:
            self.counters.late += 1
            self._notes.append(Note("late", f"{what} after the decision", seq))
        else:
            self.counters.extra += 1
            self._notes.append(Note(extra_kind, f"{what} that nobody asked for", seq))


def _record_of(part: _Part, decision: Decision) -> Record:
    frame = part.frame or FrameReady(part.seq, -1, 0, 0)
    return Record(
        decision,
        part.detections,
        frame.slot,
        frame.generation,
        frame.source,
        t_exposed_ns=frame.t_exposed_ns,
        t_inspected_ns=part.t_inspected_ns,
        batch=part.batch,
    )


def _waited_for(part: _Part) -> str:
    return "no frame in time" if part.frame is None else "no inspection in time"
