"""One recorded part after the other through the line's sequencer, at the recorded trigger times."""

from dataclasses import dataclass

import msgspec

from linewatch.core.clock import RecordedClock
from linewatch.core.errors import PictureError
from linewatch.core.messages import Cause, FrameFailed, FrameReady, Inspection, Note, Record
from linewatch.core.station import Station
from linewatch.inspection.inspector import Part
from linewatch.inspection.quality import Doubt
from linewatch.line.rules import rules_of
from linewatch.line.sequencer import CAMERA, INSPECTOR, Sequencer
from linewatch.pictures.read import read_picture
from linewatch.pictures.recording import Entry

RUN = "replay"


@dataclass(frozen=True)
class RecordedPart:
    """A recorded trigger as part `part.seq` of this replay. source: its file, relative to the recording."""

    part: Part
    counter: int
    t_trigger_ns: int
    source: str


def load_part(entry: Entry, seq: int, t_trigger_ns: int, source: str, grey: bool) -> RecordedPart:
    """The recorded trigger with its picture, or with the reason why it has none that can be trusted."""
    if entry.path is None:
        return RecordedPart(Part(seq, Doubt(Cause.NO_FRAME, entry.reason)), entry.counter, t_trigger_ns, source)
    try:
        part = Part(seq, read_picture(entry.path, grey))
    except PictureError as exc:
        part = Part(seq, Doubt(Cause.INCOMPLETE_FRAME, f"{source}: {exc.reason}"))
    return RecordedPart(part, entry.counter, t_trigger_ns, source)


class Player:
    """A line on which camera and inspector need no time: what the parts are is judged, not how fast the machine is."""

    def __init__(self, station: Station, clock: RecordedClock) -> None:
        self._clock = clock
        self._sequencer = Sequencer(rules_of(station, RUN))
        self._sequencer.child_ready(CAMERA)
        self._sequencer.child_ready(INSPECTOR)

    def play(self, recorded: RecordedPart, inspection: Inspection) -> list[Record]:
        """Trigger, frame and inspection of one part at its recorded time; returns its one decision, as a record.

        inspection: of this part; unused when the part has no picture.
        """
        self._clock.set(recorded.t_trigger_ns)
        now_ns, picture = self._clock.now_ns(), recorded.part.picture
        expose = self._sequencer.open(recorded.counter, recorded.t_trigger_ns, now_ns)
        if expose is not None and isinstance(picture, Doubt):
            self._sequencer.failed(FrameFailed(expose.seq, picture.cause, picture.reason), now_ns)
        elif expose is not None:
            frame = FrameReady(expose.seq, -1, 0, recorded.t_trigger_ns, recorded.source)
            if self._sequencer.captured(frame, now_ns) is not None:
                self._sequencer.inspected(inspection, now_ns)
        # A part whose frame failed has none that could name its file.
        return [msgspec.structs.replace(record, source=recorded.source) for record in self._sequencer.due(now_ns)]

    def notes(self) -> list[Note]:
        """What is worth a line in the log since the last call."""
        return self._sequencer.notes()
