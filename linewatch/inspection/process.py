"""The inspector process: requests in over the channel, pixels from the ring, inspections out.

One thread, one loop. It says Ready when the network is warm, and sends Health from this loop, also right before each
batch, so that its silence is never longer than one batch unless it hangs.
"""

import structlog

from linewatch.core.child import HEALTH_EVERY_NS, Child
from linewatch.core.clock import Clock
from linewatch.core.errors import StorageError
from linewatch.core.messages import Cause, Inspect, Inspection
from linewatch.core.ring import StaleFrame
from linewatch.inspection.batching import RunTime, next_batch
from linewatch.inspection.drift import Drift
from linewatch.inspection.inspector import Inspector, Part
from linewatch.inspection.quality import Doubt
from linewatch.pictures.frames import RingReader

CHILD = "inspector"

log = structlog.get_logger()


class InspectorProcess:
    """The loop between the controller's channel and the inspector. `run` returns when told to stop."""

    def __init__(self, child: Child, frames: RingReader, inspector: Inspector, drift: Drift, clock: Clock) -> None:
        self._child = child
        self._frames = frames
        self._inspector = inspector
        self._drift = drift
        self._clock = clock
        self._waiting: list[Inspect] = []
        self._run_time = RunTime()

    def run(self, detail: str) -> None:
        """Say Ready with `detail` (what is loaded), then serve until told to stop, after answering what waits."""
        self._child.start(detail)
        stopping = False
        while self._waiting or not stopping:
            stopping = self._child.stopping  # before the channel is read: what came before a signal is answered
            self._receive()
            self._work()

    def _receive(self) -> None:
        for message in self._child.turn(0 if self._waiting else HEALTH_EVERY_NS / 1e6):
            if isinstance(message, Inspect):
                self._waiting.append(message)
            else:
                log.warning("unexpected_message", type=type(message).__name__)

    def _work(self) -> None:
        if not self._waiting:
            return
        now_ns = self._clock.now_ns()
        largest, shortest_ns = self._inspector.largest_batch, self._run_time.shortest_ns
        batch, self._waiting = next_batch(self._waiting, now_ns, largest, shortest_ns)
        for request in batch.expired:
            reason = "the deadline passed before the inspector was free"
            self._answer(Inspection(request.seq, Cause.TIMEOUT, reason=reason, batch=0, t_done_ns=now_ns))
        if batch.run:
            self._run(batch.run)

    def _run(self, requests: tuple[Inspect, ...]) -> None:
        started_ns = self._clock.now_ns()
        parts = [self._part(request) for request in requests]
        inspections = self._inspector.inspect(parts)
        for inspection in inspections:
            self._answer(inspection)
        if inspections[0].batch:  # else no picture reached the network, and nothing is learnt about its speed
            self._run_time.add(self._clock.now_ns() - started_ns)
        for part in parts:
            if not isinstance(part.picture, Doubt):
                for note in self._drift.see(part.picture):
                    self._child.channel.send(note)

    def _part(self, request: Inspect) -> Part:
        try:
            return Part(request.seq, self._frames.read(request.seq, request.slot, request.generation))
        except StaleFrame as exc:
            return Part(request.seq, Doubt(Cause.OVERRUN, str(exc)))
        except StorageError as exc:
            return Part(request.seq, Doubt(Cause.NO_FRAME, str(exc)))

    def _answer(self, inspection: Inspection) -> None:
        self._child.progress += 1
        if self._child.channel.send(inspection):
            return
        log.warning("answer_lost", seq=inspection.seq)
        if self._child.stopping:  # the controller is gone: nobody waits for the rest
            self._waiting = []
