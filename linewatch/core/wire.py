"""What leaves the station: JSON to observers and actuators, at most 512 bytes a message, schema version 1.

A decision of a line that tracks parts by encoder counts has three fields more and version 2: who reads only version 1
could not place its blow.

Every message is a multipart of two frames: the topic (`STATION.decision`, `.heartbeat`, `.belt`, `.event`, `.status`,
`.welcome`) and one JSON object. Decoding is strict: another version, an unknown verdict, cause or key, a missing key,
or a PASS whose cause is not `ok` raises WireError, and whoever gets one rejects. Times are nanoseconds of the station's
monotonic clock.

    XPUB    line to observers   decision, heartbeat, event, status
    ROUTER  line to actuators   welcome (answer to register), decision, heartbeat, belt (where parts are tracked)
    DEALER  actuator to line    one frame: register, ack, ejected or leave
"""

from typing import Annotated, Literal, TypeVar

import msgspec

from linewatch.core.messages import Cause, Decision, Verdict

VERSION: Literal[1] = 1
TRACKED: Literal[2] = 2  # version of decisions that say where the part is
MAX_PAYLOAD = 512  # bytes
MAX_TEXT = 40  # bytes of JSON that class, model and recipe may each take; longer ones are cut
MAX_TRACKED_TEXT = 22  # bytes of each in a decision of version 2, which has more to say
MAX_EVENT_TEXT = 300  # bytes of JSON
HEARTBEAT_NS = 50_000_000
SILENCE_NS = 250_000_000  # a subscriber that hears no heartbeat for so long rejects everything
STATUS_NS = 500_000_000

Count = Annotated[int, msgspec.Meta(ge=0)]
Seq = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
ChildState = Literal["down", "starting", "ready"]


class WireError(ValueError):
    """A payload that is not one of these messages."""


class _Payload(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    v: Literal[1]


class WireDecision(
    _Payload, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename={"label": "class"}
):
    """The answer for part `seq` of run `run`.

    deadline_ns: the time by which it had to be decided. eject_delay_ms: trigger to blow. score: of the strongest
    detection, 0 .. 1. label (key `class`): its class, empty without one. count, blow_count, reaction_ms: of version 2,
    see Tracking.
    """

    v: Literal[1, 2]  # type: ignore[assignment]
    station: str
    run: str
    seq: Seq
    verdict: Verdict
    cause: Cause
    t_trigger_ns: Count
    t_decision_ns: Count
    deadline_ns: Count
    eject_delay_ms: Annotated[float, msgspec.Meta(ge=0)]
    score: Annotated[float, msgspec.Meta(ge=0, le=1)]
    label: str
    model: str
    recipe: str
    count: Count | None = None
    blow_count: Count | None = None
    reaction_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        if {value is None for value in (self.count, self.blow_count, self.reaction_ms)} != {self.v == VERSION}:
            raise ValueError(f"version {self.v} contradicts the fields for tracking")
        if (self.verdict is Verdict.PASS) != (self.cause is Cause.OK):
            raise ValueError(f"verdict {self.verdict} contradicts cause {self.cause}")

    @property
    def t_blow_ns(self) -> int:
        """When the rejecter must act on this part; of a tracked one: at full speed."""
        return self.t_trigger_ns + round(self.eject_delay_ms * 1e6)


class Heartbeat(_Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sign of life of the deciding loop, every 50 ms.

    seq: every part up to this one has been decided and sent; who lacks one of them has lost it. progress: turns of the
    loop. t_ns: when it was said.
    """

    station: str
    run: str
    seq: Count
    progress: Count
    t_ns: Count


class Belt(_Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the belt of a line that tracks parts by counts stands: with every heartbeat, and whenever the gate says it.

    count: since the run began. t_ns: when the gate said it. trouble: why positions cannot be trusted, empty while they
    can; whoever hears of trouble rejects everything.
    """

    station: str
    run: str
    count: Count
    t_ns: Count
    trouble: str


class Event(_Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Anything an operator may want to know that is no decision. seq: the part or run end concerned, 0 for none.

    Kinds of the line itself; camera and recorder add their own:
    run        gap, stopping, stopped, output_unwritable
    gate       gate_lost, gate_back, gate_restarted, desync, missed_triggers, duplicate_trigger, bad_frame, min_gap,
               chatter, latency_timer, light_failed
    belt       encoder_silent, encoder_backwards, belt_too_fast, belt_clear
    parts      late, extra_frame, extra_inspection
    children   child_ready, child_died, recorder_behind, recorder_keeps_up
    alarms     alarm, alarm_over
    actuators  actuator_registered, actuator_left, actuator_refused, unconfirmed (decisions), ejection_unconfirmed
    keys       handshake_refused, keys_changed, keys_wrong, endpoint_shut
    """

    station: str
    run: str
    kind: str
    text: str
    seq: Count
    t_ns: Count


class Status(_Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the line stands, to observers alone, every 500 ms: what a page that was opened just now cannot have heard.

    children: state by name: down, starting or ready. gate: whether its port is open. triggers: of this run. in_flight:
    parts without a decision. actuators: registered now. unconfirmed: decisions that some actuator did not acknowledge.
    unrecorded: decisions that no log will have. behind: how often an observer was left out for being slow.
    reject_rate, failsafe_rate: of the last parts, as the alarms count them. in_a_row: rejects up to now. alarms: on.
    """

    station: str
    run: str
    t_ns: Count
    children: dict[str, ChildState]
    gate: bool
    triggers: Count
    in_flight: Count
    actuators: Count
    unconfirmed: Count
    unrecorded: Count
    behind: Count
    reject_rate: Share
    failsafe_rate: Share
    in_a_row: Count
    alarms: tuple[str, ...]


class Welcome(_Payload, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answer to Register: decisions of `run` after `since` follow; those up to `since` will not come (again)."""

    station: str
    run: str
    since: Count


class Register(_Payload, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="register"):
    """An actuator wants every decision, also those it missed: it has all of `run` up to `seq` (run empty: none)."""

    name: Name
    run: str
    seq: Count


class Ack(_Payload, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ack"):
    """An actuator has decision (run, seq)."""

    run: str
    seq: Seq


class Ejected(_Payload, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ejected"):
    """An actuator with a sensor behind the rejecter: part (run, seq) was blown off, and seen to leave or not."""

    run: str
    seq: Seq
    confirmed: bool


class Leave(_Payload, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="leave"):
    """An actuator goes away on purpose; nobody need be alarmed."""

    name: Name


FromLine = WireDecision | Heartbeat | Belt | Event | Status | Welcome
FromActuator = Register | Ack | Ejected | Leave

_encoder = msgspec.json.Encoder()
_from_actuator: msgspec.json.Decoder[FromActuator] = msgspec.json.Decoder(FromActuator)
_KINDS: dict[type[FromLine], str] = {
    WireDecision: "decision", Heartbeat: "heartbeat", Belt: "belt", Event: "event", Status: "status",
    Welcome: "welcome",
}  # fmt: skip
_decoders: dict[str, msgspec.json.Decoder[FromLine]] = {
    kind: msgspec.json.Decoder(payload) for payload, kind in _KINDS.items()
}
T = TypeVar("T")


def topic(station: str, kind: str) -> bytes:
    """The first frame: `STATION.kind`."""
    return f"{station}.{kind}".encode()


def wire_decision(decision: Decision, model: str, recipe: str) -> WireDecision:
    """The decision as outsiders see it; texts too long for the wire are cut."""
    tracking = decision.tracking
    longest = MAX_TEXT if tracking is None else MAX_TRACKED_TEXT
    return WireDecision(
        v=VERSION if tracking is None else TRACKED,
        station=decision.station,
        run=decision.run,
        seq=decision.seq,
        verdict=decision.verdict,
        cause=decision.cause,
        t_trigger_ns=decision.t_trigger_ns,
        t_decision_ns=decision.t_decision_ns,
        deadline_ns=decision.deadline_ns,
        eject_delay_ms=round(decision.eject_delay_ms, 3),
        score=round(decision.score, 4),
        label=fitted(decision.label, longest),
        model=fitted(model, longest),
        recipe=fitted(recipe, longest),
        count=None if tracking is None else tracking.count,
        blow_count=None if tracking is None else tracking.blow_count,
        reaction_ms=None if tracking is None else round(tracking.reaction_ms, 3),
    )


def event(station: str, run: str, kind: str, text: str, seq: int, t_ns: int) -> Event:
    """An event whose text is cut to what the wire carries."""
    return Event(v=VERSION, station=station, run=run, kind=kind, text=fitted(text, MAX_EVENT_TEXT), seq=seq, t_ns=t_ns)


def pack(message: FromLine) -> list[bytes]:
    """The two frames of a message of the line."""
    return [topic(message.station, _KINDS[type(message)]), _encoder.encode(message)]


def unpack(frames: list[bytes]) -> FromLine:
    """The message of the line in `frames`. Raises WireError on anything else."""
    if len(frames) != 2:
        raise WireError(f"{len(frames)} frames where topic and payload belong")
    station, _, kind = frames[0].decode("utf-8", "replace").rpartition(".")
    if kind not in _decoders:
        raise WireError(f"unknown topic {frames[0][:80]!r}")
    message = _decode(_decoders[kind], frames[1])
    if message.station != station:
        raise WireError(f"topic {frames[0][:80]!r} carries a message of station {message.station[:40]!r}")
    return message


def pack_from_actuator(message: FromActuator) -> bytes:
    """The one frame of an actuator's message."""
    return _encoder.encode(message)


def unpack_from_actuator(payload: bytes) -> FromActuator:
    """The actuator's message in `payload`. Raises WireError on anything else."""
    return _decode(_from_actuator, payload)


def _decode(decoder: msgspec.json.Decoder[T], payload: bytes) -> T:
    if len(payload) > MAX_PAYLOAD:
        raise WireError(f"{len(payload)} bytes, at most {MAX_PAYLOAD} are allowed")
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise WireError(str(exc)) from exc


def fitted(text: str, limit: int) -> str:
    """`text`, cut so that its JSON takes at most `limit` bytes."""
    text = text[:limit].encode("utf-8", "replace").decode()
    while len(_encoder.encode(text)) - 2 > limit:
        text = text[:-1]
    return text
