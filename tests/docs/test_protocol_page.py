"""The bytes of docs/protocol.md are those that the line says and understands; checksums on any page are right."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import linewatch
from linewatch.actuators.belt import HORIZON_NS
from linewatch.actuators.client import REGISTER_NS
from linewatch.actuators.handshake import KNOCK_NS
from linewatch.core.wire import (
    HEARTBEAT_NS,
    SILENCE_NS,
    STATUS_NS,
    FromActuator,
    FromLine,
    pack,
    pack_from_actuator,
    unpack,
    unpack_from_actuator,
)
from linewatch.line.actuator_link import MEMORY
from linewatch.line.peer import RESEND_NS
from linewatch.triggers.protocol import MAX_FRAME, FrameParser, crc, light_command

DOCS = Path(linewatch.__file__).parent.parent / "docs"
PAGE = (DOCS / "protocol.md").read_text(encoding="utf-8")
EXAMPLES = [block.strip().split("\n") for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)]
SERIAL_LINE = re.compile(r"\$([A-Z],[\d,]+)\*([0-9A-F]{4})")
CC = shutil.which("cc")


@pytest.mark.parametrize("lines", EXAMPLES, ids=lambda lines: lines[0][:40])
def test_a_message_on_the_page_is_one_byte_for_byte(lines: list[str]) -> None:
    frames = [line.encode() for line in lines]
    if len(frames) == 2:
        assert pack(unpack(frames)) == frames
    else:
        assert [pack_from_actuator(unpack_from_actuator(frames[0]))] == frames


def test_every_message_is_shown() -> None:
    shown = {
        type(unpack([line.encode() for line in lines]) if len(lines) == 2 else unpack_from_actuator(lines[0].encode()))
        for lines in EXAMPLES
    }
    assert shown == set(FromLine.__args__) | set(FromActuator.__args__)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_serial_lines_on_the_pages_have_the_right_checksum(page: Path) -> None:
    for body, digits in SERIAL_LINE.findall(page.read_text(encoding="utf-8")):
        assert f"{crc(body.encode()):04X}" == digits, body


def test_the_gates_lines_are_read_as_the_page_says() -> None:
    lines = [f"${body}*{digits}\r\n".encode() for body, digits in SERIAL_LINE.findall(PAGE)]
    plain, counted, belt, light = lines
    (first, second, third) = FrameParser().feed(plain + counted + belt)
    assert [repr(frame) for frame in (first, second, third)] == [
        "TriggerFrame(counter=17, t_us=1234567, count=None)",
        "TriggerFrame(counter=17, t_us=1234567, count=21300)",
        "BeltFrame(count=21320)",
    ]
    assert light == light_command(17, 400)


def test_the_times_are_the_lines() -> None:
    times = {what: int(ms) for what, ms in re.findall(r"^\| ([^|]+) \| (\d+) \|", PAGE, re.MULTILINE)}
    assert times["heartbeat"] == HEARTBEAT_NS / 1e6
    assert times["silence after which everything is rejected"] == SILENCE_NS / 1e6
    assert times["`status`"] == STATUS_NS / 1e6
    assert times["decision again without acknowledgement"] == RESEND_NS / 1e6
    assert times["`register` again"] == REGISTER_NS / 1e6
    assert times["a connection refused for its key: close and connect anew"] == KNOCK_NS / 1e6
    assert times["`belt` too old: everything is rejected"] == HORIZON_NS / 1e6
    assert f"({MEMORY} decisions are kept)" in PAGE
    assert f"at most {MAX_FRAME} bytes" in PAGE


@pytest.mark.skipif(CC is None, reason="no C compiler")
def test_the_checksum_in_c_is_the_checksum(tmp_path: Path) -> None:
    assert CC is not None
    (code,) = re.findall(r"^```c\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    source, library = tmp_path / "crc.c", tmp_path / "crc.so"
    source.write_text(f"#include <stddef.h>\n#include <stdint.h>\n{code}")
    subprocess.run([CC, "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, source], check=True)
    function = ctypes.CDLL(str(library)).crc
    function.argtypes, function.restype = [ctypes.c_char_p, ctypes.c_size_t], ctypes.c_uint16
    for data in (b"123456789", b"", b"T,17,1234567"):
        assert function(data, len(data)) == crc(data)
