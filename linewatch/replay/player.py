"""One recorded part after the other through the line's sequencer, at the recorded trigger times."""

import msgspec

from linewatch.core.clock import RecordedClock
from linewatch.core.messages import FrameFailed, FrameReady, Note, Record
from linewatch.core.station import Station
from linewatch.line.rules import rules_of
from linewatch.line.sequencer import CAMERA, INSPECTOR, Sequencer
from linewatch.replay.inspecting import Inspected

RUN = "replay"


class Player:
    """A line on which camera and inspector need no time: what the parts are is judged, not how fast the machine is."""

    def __init__(self, station: Station, clock: RecordedClock) -> None:
        self._clock = clock
        self._sequencer = Sequencer(rules_of(station, RUN))
        self._sequencer.child_ready(CAMERA)
        self._sequencer.child_ready(INSPECTOR)

    def play(self, inspected: Inspected) -> list[Record]:
        """Trigger, frame and inspection of one part at its recorded time; returns its one decision, as a record."""
        t_trigger_ns, source = inspected.part.t_trigger_ns, inspected.part.source
        self._clock.set(t_trigger_ns)
        now_ns, doubt = self._clock.now_ns(), inspected.doubt
        expose = self._sequencer.open(inspected.part.entry.counter, t_trigger_ns, now_ns)
        if expose is not None and doubt is not None:
            self._sequencer.failed(FrameFailed(expose.seq, doubt.cause, doubt.reason), now_ns)
        elif expose is not None:
            frame = FrameReady(expose.seq, -1, 0, t_trigger_ns, source)
            if self._sequencer.captured(frame, now_ns) is not None:
                # At the recorded time, whenever and wherever it was inspected.
                self._sequencer.inspected(msgspec.structs.replace(inspected.inspection, t_done_ns=now_ns), now_ns)
        # A part whose frame failed has none that could name its file.
        return [msgspec.structs.replace(record, source=source) for record in self._sequencer.due(now_ns)]

    def notes(self) -> list[Note]:
        """What is worth a line in the log since the last call."""
        return self._sequencer.notes()
