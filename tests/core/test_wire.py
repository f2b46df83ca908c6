"""What leaves the station: small, strict, and nothing unknown gets through."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.core.messages import Cause, Decision, Tracking, Verdict
from linewatch.core.wire import (
    MAX_PAYLOAD,
    Ack,
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

BIG = (1 << 63) - 1


def decision(**changes: object) -> Decision:
    plain = Decision(
        station="bottle-sim", run="20260101T000000-abcdef", seq=7, verdict=Verdict.REJECT, cause=Cause.DEFECT,
        t_trigger_ns=1_000_000_000, t_decision_ns=1_050_000_000, deadline_ns=1_100_000_000, eject_delay_ms=980.0,
        score=0.91, label="chip",
    )  # fmt: skip
    return msgspec.structs.replace(plain, **changes)


def test_decision_has_exactly_the_documented_keys() -> None:
    payload = json.loads(pack(wire_decision(decision(), "bottle-bottom", "flint-330"))[1])
    assert list(payload) == [
        "v", "station", "run", "seq", "verdict", "cause", "t_trigger_ns", "t_decision_ns", "deadline_ns",
        "eject_delay_ms", "score", "class", "model", "recipe",
    ]  # fmt: skip
    assert payload["v"] == 1
    assert (payload["class"], payload["model"], payload["recipe"]) == ("chip", "bottle-bottom", "flint-330")


def test_topic_leads_and_the_message_comes_back() -> None:
    sent = wire_decision(decision(), "m", "r")
    frames = pack(sent)
    assert frames[0] == b"bottle-sim.decision"
    assert unpack(frames) == sent
    assert sent.t_blow_ns == 1_980_000_000


def test_a_tracked_decision_says_where_the_part_is_in_version_2() -> None:
    sent = wire_decision(decision(tracking=Tracking(1000, 6000, 20.0)), "m", "r")
    payload = json.loads(pack(sent)[1])
    assert list(payload)[-3:] == ["count", "blow_count", "reaction_ms"]
    assert [payload[key] for key in ("v", "count", "blow_count", "reaction_ms")] == [2, 1000, 6000, 20.0]
    assert unpack(pack(sent)) == sent


@pytest.mark.parametrize(
    "change", [{"v": 1}, {"count": None}, {"blow_count": -1}, {"reaction_ms": "20"}, {"count": 1.5}, {"v": 3}]
)
def test_a_tracked_decision_is_whole_or_refused(change: dict[str, object]) -> None:
    frames = pack(wire_decision(decision(tracking=Tracking(1000, 6000, 20.0)), "m", "r"))
    with pytest.raises(WireError):
        unpack([frames[0], json.dumps({**json.loads(frames[1]), **change}).encode()])


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_payload_never_exceeds_512_bytes(label: str, model: str, recipe: str) -> None:
    largest = decision(
        station="s" * 32, run="r" * 24, seq=BIG, t_trigger_ns=BIG, t_decision_ns=BIG, deadline_ns=BIG,
        cause=Cause.INCOMPLETE_FRAME, eject_delay_ms=1e15 / 7, score=1 / 3, label=label,
    )  # fmt: skip
    tracked = msgspec.structs.replace(largest, tracking=Tracking(BIG, BIG, 1e15 / 7))
    for one in (largest, tracked):
        frames = pack(wire_decision(one, model, recipe))
        assert len(frames[1]) <= MAX_PAYLOAD
        assert isinstance(unpack(frames), WireDecision)
    said = pack(event("s" * 32, "r" * 24, "k" * 30, label + model + recipe, BIG, BIG))
    assert len(said[1]) <= MAX_PAYLOAD
    assert unpack(said)


def test_the_largest_status_of_a_line_fits() -> None:
    names = ("consecutive_rejects", "failsafe_rate", "no_reject", "reject_rate")
    said = Status(
        v=1, station="s" * 32, run="20260101T000000-abcdef", t_ns=BIG, gate=False, triggers=10**12, in_flight=64,
        children={"camera": "starting", "inspector": "starting", "recorder": "starting"}, actuators=32,
        unconfirmed=10**9, unrecorded=10**9, behind=10**9, reject_rate=0.3333, failsafe_rate=0.3333, in_a_row=10**9,
        alarms=names,
    )  # fmt: skip
    frames = pack(said)
    assert frames[0] == b"s" * 32 + b".status"
    assert len(frames[1]) <= MAX_PAYLOAD
    assert unpack(frames) == said


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2}, {"v": None}, {"v": "1"}, {"verdict": "MAYBE"}, {"verdict": "pass"}, {"cause": "gremlins"}, {"seq": 0},
        {"seq": "7"}, {"seq": 1.5}, {"score": 1.01}, {"score": None}, {"extra": 1}, {"t_trigger_ns": -1},
        {"verdict": "PASS"}, {"cause": "ok"}, {"station": "other"},
    ],
)  # fmt: skip
def test_decision_with_anything_unknown_is_refused(change: dict[str, object]) -> None:
    topic, payload = pack(wire_decision(decision(), "m", "r"))
    with pytest.raises(WireError):
        unpack([topic, json.dumps({**json.loads(payload), **change}).encode()])


@pytest.mark.parametrize("key", json.loads(pack(wire_decision(decision(), "m", "r"))[1]))
def test_decision_without_a_key_is_refused(key: str) -> None:
    topic, payload = pack(wire_decision(decision(), "m", "r"))
    rest = {name: value for name, value in json.loads(payload).items() if name != key}
    with pytest.raises(WireError):
        unpack([topic, json.dumps(rest).encode()])


@given(st.lists(st.binary(max_size=600), max_size=3))
def test_noise_is_a_wire_error_and_nothing_else(frames: list[bytes]) -> None:
    with pytest.raises(WireError):
        unpack([b"bottle-sim.decision", *frames])
    with pytest.raises(WireError):
        unpack(frames)


@pytest.mark.parametrize("payload", [b"[" * 500, b'{"a":' * 80, b'{"v":1,"text":"\xff\xfe"}', b"", b"null", b"{}"])
def test_hostile_json_is_a_wire_error(payload: bytes) -> None:
    for kind in (b"decision", b"heartbeat", b"event", b"welcome"):
        with pytest.raises(WireError):
            unpack([b"s." + kind, payload])
    with pytest.raises(WireError):
        unpack_from_actuator(payload)


def test_every_kind_of_message_survives_the_wire() -> None:
    for message in (
        Heartbeat(v=1, station="s", run="r", seq=0, progress=5, t_ns=6),
        Welcome(v=1, station="s", run="r", since=3),
        event("s", "r", "gap", "run x ended at seq 3", 3, 9),
    ):
        assert unpack(pack(message)) == message
    for said in (Register(v=1, name="n", run="", seq=0), Ack(v=1, run="r", seq=4), Leave(v=1, name="n")):
        assert unpack_from_actuator(pack_from_actuator(said)) == said


def test_actuator_messages_are_strict() -> None:
    for payload in (
        b'{"type":"register","v":1,"name":"","run":"","seq":0}',
        b'{"type":"register","v":2,"name":"n","run":"","seq":0}',
        b'{"type":"ack","v":1,"run":"r","seq":0}',
        b'{"type":"shutdown","v":1}',
        b'{"type":"ack","v":1,"run":"r","seq":1,"more":1}',
    ):
        with pytest.raises(WireError):
            unpack_from_actuator(payload)
