"""Whatever comes over the wire, a decoder gives a message or a WireError, and what it gives is in bounds."""

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.core.messages import Cause, Decision, Verdict
from linewatch.core.wire import (
    MAX_PAYLOAD,
    Ack,
    FromActuator,
    FromLine,
    Heartbeat,
    Leave,
    Register,
    Status,
    Welcome,
    WireDecision,
    WireError,
    event,
    pack,
    pack_from_actuator,
    unpack,
    unpack_from_actuator,
    wire_decision,
)

DECISION = Decision("s", "r", 7, Verdict.REJECT, Cause.DEFECT, 1, 2, 3, 980.0, 0.9, "chip")
FROM_LINE: tuple[FromLine, ...] = (
    wire_decision(DECISION, "m", "r"),
    wire_decision(msgspec.structs.replace(DECISION, verdict=Verdict.PASS, cause=Cause.OK), "m", "r"),
    Heartbeat(v=1, station="s", run="r", seq=0, progress=5, t_ns=6),
    Welcome(v=1, station="s", run="r", since=3),
    Status(
        v=1, station="s", run="r", t_ns=7, children={"camera": "ready"}, gate=True, triggers=9, in_flight=1,
        actuators=2, unconfirmed=0, unrecorded=0, behind=0, reject_rate=0.25, failsafe_rate=0.0, in_a_row=1,
        alarms=("reject_rate",),
    ),
    event("s", "r", "gap", "run x ended at seq 3", 3, 9),
)  # fmt: skip
FROM_ACTUATOR: tuple[FromActuator, ...] = (
    Register(v=1, name="n", run="", seq=0),
    Ack(v=1, run="r", seq=4),
    Leave(v=1, name="n"),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
KINDS = (b"decision", b"heartbeat", b"event", b"status", b"welcome")


def sound(message: FromLine | FromActuator) -> None:
    """Assert what every receiver relies on."""
    if isinstance(message, WireDecision):
        assert (message.verdict is Verdict.PASS) == (message.cause is Cause.OK)
        assert message.seq >= 1
        assert 0 <= message.score <= 1
        assert message.t_blow_ns >= message.t_trigger_ns
    if isinstance(message, Register | Leave):
        assert 1 <= len(message.name) <= 64


def read(frames: list[bytes]) -> None:
    """Every decoder: a sound message, or a WireError of one line; anything else fails the test."""
    with contextlib.suppress(WireError):
        sound(unpack(frames))
    for frame in frames:
        with contextlib.suppress(WireError):
            sound(unpack_from_actuator(frame))


@given(st.lists(st.binary(max_size=600), max_size=4), st.sampled_from(KINDS))
def test_any_bytes(frames: list[bytes], kind: bytes) -> None:
    read(frames)
    read([b"s." + kind, *frames])


@given(st.data(), st.sampled_from([*map(pack, FROM_LINE), *([pack_from_actuator(said)] for said in FROM_ACTUATOR)]))
def test_valid_messages_with_bytes_changed_cut_and_inserted(data: st.DataObject, valid: list[bytes]) -> None:
    frames = []
    for frame in valid:
        at = data.draw(st.integers(0, len(frame)))
        until = data.draw(st.integers(at, min(len(frame), at + 4)))
        frames.append(frame[:at] + data.draw(st.binary(max_size=6)) + frame[until:])
    read(frames)
    read([valid[0], frames[-1]])


@given(st.data(), st.sampled_from(FROM_LINE), JSON)
def test_valid_messages_with_values_exchanged(data: st.DataObject, valid: FromLine, value: object) -> None:
    topic, payload = pack(valid)
    document = json.loads(payload)
    document[data.draw(st.sampled_from([*document, "other"]))] = value
    read([topic, json.dumps(document).encode()])


@given(st.data(), st.sampled_from(FROM_ACTUATOR), JSON)
def test_actuators_messages_with_values_exchanged(data: st.DataObject, valid: FromActuator, value: object) -> None:
    document = json.loads(pack_from_actuator(valid))
    document[data.draw(st.sampled_from([*document, "other"]))] = value
    read([json.dumps(document).encode()])


@given(JSON, st.sampled_from(KINDS))
def test_any_json(document: object, kind: bytes) -> None:
    read([b"s." + kind, json.dumps(document).encode()])


@pytest.mark.parametrize("number", ["1e400", "-0.0", "9" * 400, "1e-400", "NaN", "Infinity", "18446744073709551616"])
@pytest.mark.parametrize("key", ["seq", "t_trigger_ns", "eject_delay_ms", "score"])
def test_numbers_at_the_edge(number: str, key: str) -> None:
    topic, payload = pack(FROM_LINE[0])
    document = json.loads(payload)
    text = json.dumps({**document, key: "@"}).replace('"@"', number)
    read([topic, text.encode()])


def test_a_payload_of_512_bytes_is_taken_and_one_more_is_not() -> None:
    topic, payload = pack(FROM_LINE[0])
    assert isinstance(unpack([topic, payload.ljust(MAX_PAYLOAD)]), WireDecision)
    with pytest.raises(WireError, match="513 bytes"):
        unpack([topic, payload.ljust(MAX_PAYLOAD + 1)])
