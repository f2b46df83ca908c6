"""The messages between our own processes."""

import msgspec
import pytest

from linewatch.core.messages import (
    Cause,
    Decision,
    Detection,
    Inspection,
    Note,
    Record,
    Stop,
    Verdict,
    decode,
    encode,
)


def test_every_message_comes_back_as_it_was() -> None:
    found = Detection("chip", 0.5, 1.0, 2.0, 3.0, 4.0, "reject")
    decided = Decision("s", "r", 1, Verdict.REJECT, Cause.DEFECT, 1, 2, 3, 4.0)
    inspection = Inspection(3, Cause.DEFECT, (found,), "why")
    for message in (inspection, Record(decided, (found,), 2, 4), Note("k", "t"), Stop()):
        assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "datagram", [b"", b"\xc0", b"\x80", b"\x81\xa4type\xa4None", b"\x93\x01\x02\x03", b"\xff" * 99]
)
def test_anything_else_is_a_msgspec_error(datagram: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        decode(datagram)


def test_an_unknown_cause_is_refused() -> None:
    datagram = encode(Inspection(1, Cause.OK)).replace(b"\xa2ok", b"\xa2no")
    with pytest.raises(msgspec.ValidationError):
        decode(datagram)


def test_only_ok_and_defect_are_no_failsafe() -> None:
    assert {cause for cause in Cause if not cause.is_failsafe} == {Cause.OK, Cause.DEFECT}
