"""One function a reader: takes any bytes and raises only what nobody promised."""

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from linewatch.core.errors import StationError
from linewatch.core.messages import Cause, Decision, Verdict
from linewatch.core.station import load_station
from linewatch.core.wire import WireDecision, WireError, event, pack, unpack, unpack_from_actuator, wire_decision
from linewatch.triggers.protocol import MAX_FRAME, BadFrame, FrameParser, crc, light_command

STATIONS = Path(__file__).parents[2] / "stations"
KINDS = (b"s.decision", b"s.heartbeat", b"s.event", b"s.welcome")
PASSED = Decision("s", "r", 7, Verdict.PASS, Cause.OK, 1, 2, 3, 980.0)


def wire(data: bytes) -> None:
    """The first byte chooses the topic."""
    topic, payload = KINDS[data[0] % len(KINDS)] if data else b"", data[1:]
    with contextlib.suppress(WireError):
        message = unpack([topic, payload])
        if isinstance(message, WireDecision):
            assert message.verdict is Verdict.REJECT or message.cause.value == "ok"
            assert 0 <= message.score <= 1 <= message.seq
    with contextlib.suppress(WireError):
        unpack(payload.split(b"\n"))
    with contextlib.suppress(WireError):
        unpack_from_actuator(payload)


def gate(data: bytes) -> None:
    """The first byte says how long the chunks are in which the rest comes."""
    parser, step = FrameParser(), 1 + (data[0] if data else 0)
    for at in range(1, len(data), step):
        for found in parser.feed(data[at : at + step]):
            if isinstance(found, BadFrame):
                assert len(found.raw) <= MAX_FRAME
            else:
                bodies = (part.partition(b"*") for part in data[1:].split(b"$"))
                sums = ((body, end[:4]) for body, _, end in bodies if body.startswith(b"T,"))
                assert any(b"%04X" % crc(body) == written for body, written in sums)


def station(data: bytes) -> None:
    """The bytes as a station file."""
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(data)
        file.flush()
        try:
            load_station(Path(file.name))
        except StationError as exc:
            assert "\n" not in str(exc)


TARGETS: dict[str, Callable[[bytes], None]] = {"wire": wire, "gate": gate, "station": station}


def seeds(target: str) -> list[bytes]:
    """Valid inputs to begin with."""
    match target:
        case "wire":
            decision, told = pack(wire_decision(PASSED, "m", "r"))[1], pack(event("s", "r", "gap", "text", 3, 9))[1]
            return [b"\0" + decision, b"\2" + told, b'\0{"type":"register","v":1,"name":"n","run":"","seq":0}']
        case "gate":
            body = b"T,17,1234567"
            return [b"\7$%b*%04X\r\n" % (body, crc(body)), b"\0" + light_command(17, 400)]
        case _:
            return [path.read_bytes() for path in sorted(STATIONS.glob("*.yaml"))]
