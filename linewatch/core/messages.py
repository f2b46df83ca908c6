"""What travels between the processes: triggers in, frames, inspections, decisions out.

Inside the station the messages are MessagePack, one per datagram, each tagged with its type; on the wire to observers
and actuators a decision is JSON (see `wire.py`). Boxes are in pixels of the rectified picture, times in nanoseconds of
the monotonic clock.
"""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    PASS = "PASS"
    REJECT = "REJECT"


class Cause(StrEnum):
    """Why a part got its verdict: a closed list, unknown values are refused by the decoder."""

    OK = "ok"
    DEFECT = "defect"
    TIMEOUT = "timeout"
    NO_FRAME = "no_frame"
    EXTRA_FRAME = "extra_frame"
    INCOMPLETE_FRAME = "incomplete_frame"
    CAPTURE_JITTER = "capture_jitter"
    EXPOSURE = "exposure"
    BLUR = "blur"
    MODEL_ERROR = "model_error"
    NON_FINITE = "non_finite"
    OVERRUN = "overrun"
    DESYNC = "desync"
    STARTING = "starting"
    STOPPING = "stopping"

    @property
    def is_failsafe(self) -> bool:
        """True when the part was rejected because it was in doubt, not because a defect was seen."""
        return self not in (Cause.OK, Cause.DEFECT)


class Message(msgspec.Struct, frozen=True, tag=True, tag_field="type", array_like=False):
    """Base of everything that travels between our own processes."""


class Trigger(Message, frozen=True, tag=True):
    """A part broke the gate. `counter` is the gate's own; `seq` is the run's, gap-free, starting at 1."""

    seq: int
    counter: int
    t_trigger_ns: int
    t_gate_us: int | None = None


class Expose(Message, frozen=True, tag=True):
    """Controller to camera: take the picture of part `seq`; the frame must carry that number back."""

    seq: int
    t_trigger_ns: int


class FrameReady(Message, frozen=True, tag=True):
    """Camera to controller: the pixels of part `seq` lie in ring slot `slot` as generation `generation`."""

    seq: int
    slot: int
    generation: int
    t_exposed_ns: int
    source: str = ""


class FrameFailed(Message, frozen=True, tag=True):
    """Camera to controller: part `seq` has no usable picture, and why."""

    seq: int
    cause: Cause
    reason: str


class Detection(msgspec.Struct, frozen=True):
    """One defect: class, score in [0, 1], box in pixels of the rectified picture (x, y = upper left corner).

    effect: what the acceptance criteria made of it: reject, warn, or ignore (below every criterion).
    """

    label: str
    score: float
    x: float
    y: float
    width: float
    height: float
    effect: str = "ignore"


class Inspect(Message, frozen=True, tag=True):
    """Controller to inspector: inspect the frame of part `seq` before `deadline_ns`."""

    seq: int
    slot: int
    generation: int
    deadline_ns: int


class Inspection(Message, frozen=True, tag=True):
    """Inspector to controller: what was seen on part `seq`; `cause` is ok, defect, or what kept it from being seen."""

    seq: int
    cause: Cause
    detections: tuple[Detection, ...] = ()
    reason: str = ""
    batch: int = 1
    t_done_ns: int = 0


class Tracking(msgspec.Struct, frozen=True):
    """Where a part is, in counts of the belt since the run began.

    count: where the belt stood when the part was at the gate. blow_count: where it stands when the part is at the
    rejecter. reaction_ms: how long before that the rejecter must be told.
    """

    count: int
    blow_count: int
    reaction_ms: float


class Decision(Message, frozen=True, tag=True):
    """The one answer for part `seq`. eject_delay_ms: trigger to blow, at full speed when the part is tracked."""

    station: str
    run: str
    seq: int
    verdict: Verdict
    cause: Cause
    t_trigger_ns: int
    t_decision_ns: int
    deadline_ns: int
    eject_delay_ms: float
    score: float = 0.0
    label: str = ""
    counter: int = 0
    reason: str = ""
    tracking: Tracking | None = None


class Record(Message, frozen=True, tag=True):
    """Controller to recorder: a decision with what led to it; the recorder may be slow or dead.

    t_exposed_ns, t_inspected_ns: 0 when it never came to that. batch: parts that were inspected together with it.
    """

    decision: Decision
    detections: tuple[Detection, ...] = ()
    slot: int = -1
    generation: int = 0
    source: str = ""
    wall: str = ""
    t_exposed_ns: int = 0
    t_inspected_ns: int = 0
    batch: int = 0


class Look(Message, frozen=True, tag=True):
    """Controller to shadow: look at the frame of part `seq`, which was decided as `verdict` for `cause`.

    busy, absent: parts of this run so far that were not shown, because the shadow was busy, or not there.
    """

    seq: int
    slot: int
    generation: int
    verdict: Verdict
    cause: Cause
    busy: int = 0
    absent: int = 0


class Looked(Message, frozen=True, tag=True):
    """Shadow to controller: done with part `seq`, the next one may come."""

    seq: int


class Note(Message, frozen=True, tag=True):
    """Anything worth a line in the log that is no decision: late inspection, gap, child died, alarm."""

    kind: str
    text: str
    seq: int = 0


class Ready(Message, frozen=True, tag=True):
    """A child is warm and will answer. `detail` names what it loaded."""

    child: str
    detail: str = ""


class Health(Message, frozen=True, tag=True):
    """A child's sign of life from its own work loop, never from a side thread."""

    child: str
    progress: int
    rss_mb: float = 0.0


class Logged(Message, frozen=True, tag=True):
    """Recorder to controller: the first `count` records that this process was sent are in the log."""

    count: int


class Stop(Message, frozen=True, tag=True):
    """Controller to child: finish what is in hand and exit."""


AnyMessage = (
    Trigger
    | Expose
    | FrameReady
    | FrameFailed
    | Inspect
    | Inspection
    | Decision
    | Record
    | Note
    | Ready
    | Health
    | Logged
    | Look
    | Looked
    | Stop
)

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyMessage] = msgspec.msgpack.Decoder(AnyMessage)


def encode(message: AnyMessage) -> bytes:
    """One message as one datagram."""
    return _encoder.encode(message)


def decode(datagram: bytes) -> AnyMessage:
    """The message in `datagram`. Raises msgspec.DecodeError or msgspec.ValidationError on anything else."""
    return _decoder.decode(datagram)
