"""Framed ASCII: whatever comes down the wire, good frames are found and nothing raises."""

from hypothesis import given
from hypothesis import strategies as st

from linewatch.sim import gate as virtual_gate
from linewatch.triggers.protocol import (
    MAX_FRAME,
    BadFrame,
    BeltFrame,
    Frame,
    FrameParser,
    TriggerFrame,
    crc,
    light_command,
)

COUNTERS = st.integers(0, (1 << 32) - 1)
TRIGGERS = st.builds(TriggerFrame, COUNTERS, st.integers(0, 1 << 40), st.none() | COUNTERS)
BELTS = st.builds(BeltFrame, COUNTERS)


def wire(frame: TriggerFrame | BeltFrame) -> bytes:
    if isinstance(frame, BeltFrame):
        return virtual_gate.frame(f"E,{frame.count}")
    count = "" if frame.count is None else f",{frame.count}"
    return virtual_gate.frame(f"T,{frame.counter},{frame.t_us}{count}")


def feed(data: bytes, cuts: list[int]) -> list[Frame]:
    parser, at = FrameParser(), 0
    found: list[Frame] = []
    for cut in cuts:
        found += parser.feed(data[at : at + cut])
        at += cut
    return found + parser.feed(data[at:])


def test_checksum_is_the_published_one() -> None:
    assert crc(b"123456789") == 0x29B1


def test_light_command_is_what_the_gate_understands() -> None:
    line = light_command(17, 400)
    assert line.endswith(b"\r\n")
    assert virtual_gate.unframe(line.rstrip()) == b"L,17,400"


@given(st.lists(TRIGGERS | BELTS, max_size=20), st.lists(st.integers(0, 30)))
def test_chunks_of_any_size_give_the_same_frames(frames: list[TriggerFrame | BeltFrame], cuts: list[int]) -> None:
    assert feed(b"".join(map(wire, frames)), cuts) == frames


@given(st.lists(TRIGGERS | st.binary(max_size=90).filter(lambda noise: b"\n" not in noise), max_size=20))
def test_every_good_frame_survives_noise_before_it(parts: list[TriggerFrame | bytes]) -> None:
    data = b"".join(part if isinstance(part, bytes) else wire(part) for part in parts)
    good = [frame for frame in feed(data, [7] * 300) if isinstance(frame, TriggerFrame)]
    assert good == [part for part in parts if isinstance(part, TriggerFrame)]


@given(TRIGGERS, st.integers(0, 200), st.integers(0, 7))
def test_one_flipped_bit_never_gives_another_trigger(frame: TriggerFrame, place: int, bit: int) -> None:
    data = bytearray(wire(frame))
    data[place % (len(data) - 2)] ^= 1 << bit
    found = feed(bytes(data) + b"\r\n", [])
    assert [good for good in found if isinstance(good, TriggerFrame)] == []
    assert any(isinstance(bad, BadFrame) and bad.resembles_trigger for bad in found)


@given(BELTS, st.integers(3, 200), st.integers(0, 7))
def test_a_damaged_count_is_no_part_and_no_other_count(frame: BeltFrame, place: int, bit: int) -> None:
    data = bytearray(wire(frame))
    data[3 + place % (len(data) - 5)] ^= 1 << bit
    found = feed(bytes(data) + b"\r\n", [])
    assert all(isinstance(bad, BadFrame) for bad in found)
    assert not any(bad.resembles_trigger for bad in found if bad.raw.startswith(b"$E,"))  # type: ignore[union-attr]


@given(st.lists(st.binary(max_size=300), max_size=30))
def test_noise_never_raises_and_is_bounded(chunks: list[bytes]) -> None:
    parser = FrameParser()
    for chunk in chunks:
        for found in parser.feed(chunk):
            assert not isinstance(found, BadFrame) or len(found.raw) <= MAX_FRAME
    assert len(parser._pending) <= MAX_FRAME


def test_bad_frames_say_why() -> None:
    data = (
        b"$T,1,2*0000\r\n$X,1*1234\r\n"
        + virtual_gate.frame("T,4294967296,5")
        + virtual_gate.frame("E,4294967296")
        + b"x" * 100
    )
    reasons = [bad.reason for bad in feed(data, []) if isinstance(bad, BadFrame)]
    assert reasons == [
        "checksum does not match",
        "no trigger frame",
        "counter exceeds 32 bit",
        "count exceeds 32 bit",
        "no end of line",
    ]
