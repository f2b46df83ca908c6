"""Actuators that know nothing but docs/protocol.md: in plain Python, with keys, in JavaScript without any ZeroMQ."""

import ast
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import linewatch
from linewatch.core.messages import Cause, Verdict
from linewatch.core.wire import (
    Ack,
    Belt,
    Ejected,
    Event,
    Heartbeat,
    Leave,
    Register,
    Status,
    Welcome,
    WireDecision,
)

HERE = Path(__file__).parent
PAGE = Path(linewatch.__file__).parent.parent / "docs" / "protocol.md"
PYTHON, NODE = HERE / "page_client.py", HERE / "page_client.mjs"
LIMIT_S = 20.0
Make = Callable[..., Any]
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


class Actuator:
    """A client's process and what it has said."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out)

    def said(self, until: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        end = time.monotonic() + LIMIT_S
        while True:
            found = [json.loads(line) for line in self._log.read_text().splitlines() if line.endswith("}")]
            if until(found):
                return found
            assert time.monotonic() < end, found
            assert self.process.poll() is None, found
            time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Actuator]]:
    started: list[Actuator] = []

    def run(*command: str | Path) -> Actuator:
        started.append(Actuator([str(word) for word in command], tmp_path / f"said-{len(started)}"))
        return started[-1]

    yield run
    for actuator in started:
        actuator.process.kill()
        actuator.process.wait()


def command(program: Path, endpoint: str, *keys: Path) -> list[str | Path]:
    if program == NODE:
        return ["node", program, endpoint.removeprefix("ipc://"), "t1", "rej"]
    return [sys.executable, program, endpoint, "t1", "rej", *keys]


TREE = ast.parse(PYTHON.read_text(encoding="utf-8"))
DECISION_KEYS, CAUSES = (
    ast.literal_eval(node.value)
    for node in TREE.body
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("KEYS", "CAUSES")
)


def test_the_client_imports_nothing_of_ours() -> None:
    names = {ast.unparse(node) for node in ast.walk(TREE) if isinstance(node, ast.Import | ast.ImportFrom)}
    assert not any("linewatch" in name for name in names)


def test_the_page_names_every_message_and_field() -> None:
    """What the clients here were written after is what the line says."""
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("| message |") : text.index("### As bytes")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    fields = next(number for number, row in enumerate(rows) if row[0] == "field")
    of_a_decision = {name for row in rows[fields:] for name in re.findall(r"`(\w+)`", row[0])}
    assert of_a_decision == DECISION_KEYS
    causes = next(row[2] for row in rows if row[0] == "`cause`")
    assert set(re.findall(r"`(\w+)`", causes)) == set(Cause) == CAUSES
    tracked = text[text.index("## Parts tracked by encoder counts") : text.index("## The gate")]
    further = set(re.findall(r"^\| `(\w+)` \|", tracked, re.MULTILINE))
    keys = set(WireDecision.__struct_fields__) - {"label"} | {"class"}
    assert DECISION_KEYS | further == keys
    for kind, name in ((Heartbeat, "heartbeat"), (Belt, "belt"), (Event, "event"), (Welcome, "welcome"),
                       (Register, "register"), (Ack, "acknowledge"), (Ejected, "ejected"),
                       (Leave, "leave")):  # fmt: skip
        row = next(row for row in rows if row[0].partition(",")[0] == name)
        named = set(re.findall(r"`(\w+)`", row[2]))
        assert {"v", *named} == set(kind.__struct_fields__)
    status = next(row[2] for row in rows if row[0].startswith("status"))
    assert set(Status.__struct_fields__) <= {"v", *re.findall(r"`(\w+)`", status)}


@pytest.mark.parametrize(
    "program",
    [pytest.param(PYTHON, marks=pytest.mark.slow), pytest.param(NODE, marks=needs_node)],
    ids=["python", "node"],
)
def test_registers_acknowledges_and_rejects_when_the_line_is_silent(
    line: Any, decision: Make, start: Callable[..., Actuator], program: Path
) -> None:
    actuator = start(*command(program, line.endpoint))
    assert actuator.said(lambda found: len(found) == 2) == [{"reject_all": True}, {"reject_all": False}]
    line.decide(decision(2, delay_ms=300), decision(1, verdict=Verdict.PASS, delay_ms=300))
    found = actuator.said(lambda found: len(found) >= 4)
    assert {"seq": 1, "verdict": Verdict.PASS, "cause": Cause.OK} in found
    assert {"seq": 2, "verdict": Verdict.REJECT, "cause": Cause.DEFECT} in found
    time.sleep(0.5)
    assert line.unconfirmed == 0
    line.silent = True
    assert actuator.said(lambda found: found[-1] == {"reject_all": True})
    line.silent = False
    assert actuator.said(lambda found: found[-1] == {"reject_all": False})


def test_over_tcp_with_keys(network_line: Any, start: Callable[..., Actuator]) -> None:
    folder = network_line.ring.folder
    good = start(*command(PYTHON, network_line.endpoint, network_line.public, folder / "good.key"))
    stranger = start(*command(PYTHON, network_line.endpoint, network_line.public, folder / "stranger.key"))
    without = start(*command(PYTHON, network_line.endpoint))
    assert good.said(lambda found: found[-1:] == [{"reject_all": False}])
    network_line.decide.append(1)
    assert good.said(lambda found: found[-1].get("seq") == 1)
    for other in (stranger, without):
        assert other.said(bool) == [{"reject_all": True}]
