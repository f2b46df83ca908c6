"""The whole demo, with an inspector that knows the truth in place of the network; everything else is the real thing."""

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pytest
import yaml

from linewatch.core.errors import StorageError, UsageError
from linewatch.demo.run import demo
from linewatch.records.decision_log import read_decisions
from linewatch.sim.scene import describe

DEMO = Path(__file__).parent / "truth" / "demo.py"
PATIENCE_S = 240  # a machine that does something else beside takes its time to start nine processes

UNDER_LOAD = ("timeout", "capture_jitter", "overrun")

pytestmark = pytest.mark.timeout(2 * PATIENCE_S)


@dataclass(frozen=True)
class Run:
    """A finished demo. code: its exit code. printed: what it said on standard output."""

    code: int
    printed: str
    summary: dict[str, Any]
    output: Path


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A demo that is stopped at the latest when the block ends."""
    command = [sys.executable, str(DEMO), str(folder / "out"), str(folder / "summary.json"), *arguments]
    environment = {**os.environ, "COLUMNS": "120"}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE_S)


def finish(process: subprocess.Popen[str], folder: Path) -> Run:
    printed, said = process.communicate(timeout=PATIENCE_S)
    assert (folder / "summary.json").exists(), said
    summary = json.loads((folder / "summary.json").read_text())
    return Run(process.returncode, printed, summary, folder / "out")


def eventually(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> bool:
    deadline = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def processes_of(folder: Path) -> list[str]:
    """Command lines of all processes that have to do with `folder`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_text(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def runtime_folders(output: Path) -> list[Path]:
    """The folders that held the gate's link, the sockets and the frames."""
    stations = [path for path in (output / "warm-up" / "station.yaml", output / "station.yaml") if path.exists()]
    return [Path(yaml.safe_load(path.read_text())["gate"]["port"]).parent for path in stations]


def assert_nothing_is_left(folder: Path, runs: int) -> None:
    assert eventually(lambda: processes_of(folder) == [], 20.0), processes_of(folder)
    runtimes = runtime_folders(folder / "out")
    assert len(runtimes) == runs
    assert not any(path.exists() for path in runtimes)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("demo")
    with started(folder, "4", "150") as process:
        yield finish(process, folder)
    assert_nothing_is_left(folder, runs=2)


def expected(seq: int) -> tuple[str, bool]:
    """What the inspector of this test says of part `seq`, and whether the part is defective."""
    defective = [bool(describe(2, part - 1, 0.4).defects) for part in range(1, seq + 1)]
    if seq % 8 == 0:
        return "model_error", defective[-1]
    if defective[-1]:
        return ("ok" if sum(defective) % 3 == 0 else "defect"), True
    return ("defect" if (seq - sum(defective)) % 5 == 0 else "ok"), False


def test_every_bottle_is_accounted_for(run: Run) -> None:
    found = run.summary
    assert run.code == 0
    assert (found["missing"], found["duplicates"], found["disputed"], found["holds"]) == (0, 0, 0, True)
    assert found["triggers"] == found["pass"] + found["reject_defect"] + sum(found["failsafe"].values())
    assert 7 <= found["triggers"] <= 12
    assert found["warm_up"]["triggers"] >= 4


def test_the_three_books_and_the_gate_name_the_same_parts(run: Run) -> None:
    log = [line.seq for line in read_decisions(run.output / run.summary["run"])]
    acts = [json.loads(line) for line in (run.output / "rejecter.jsonl").read_text().splitlines()]
    parts = list(range(1, run.summary["triggers"] + 1))
    assert sorted(log) == parts
    assert sorted(line["seq"] for line in acts if "seq" in line) == parts
    assert [part["seq"] for part in run.summary["parts"]] == parts


def test_escapes_and_false_rejects_are_exactly_the_mistakes_that_were_made(run: Run) -> None:
    parts = run.summary["parts"]
    # A machine under load may add fail-safe rejects of its own; everything else must be as the inspector said.
    inspected = {part["seq"]: part["cause"] for part in parts if part["cause"] not in UNDER_LOAD}
    said = {seq: expected(seq) for seq in inspected}
    assert inspected == {seq: cause for seq, (cause, _) in said.items()}
    assert run.summary["escaped_parts"] == [seq for seq, answer in said.items() if answer == ("ok", True)]
    assert run.summary["false_reject_parts"] == [seq for seq, answer in said.items() if answer == ("defect", False)]
    assert run.summary["escapes"] == len(run.summary["escaped_parts"])
    assert run.summary["false_rejects"] == len(run.summary["false_reject_parts"])
    assert run.summary["defective"] == sum(expected(part["seq"])[1] for part in parts)


def test_the_mistakes_of_this_test_are_of_every_kind() -> None:
    said = [expected(seq) for seq in range(1, 10)]
    assert ("ok", True) in said and ("defect", False) in said and "model_error" in dict(said)


def test_boxes_and_classes_are_told_apart(run: Run) -> None:
    per_class, boxes = run.summary["per_class"], run.summary["boxes"]
    for tally in per_class.values():
        assert tally["parts"] == tally["rejected"] + tally["failsafe"] + tally["escaped"]
    assert sum(tally["escaped"] for tally in per_class.values()) >= run.summary["escapes"]
    assert sum(tally["found"] for tally in boxes.values()) > 0
    assert all(tally["misnamed"] == 0 for tally in boxes.values())


def test_the_summary_has_the_agreed_keys(run: Run) -> None:
    agreed = {"triggers", "pass", "reject_defect", "failsafe", "missing", "duplicates", "escapes", "false_rejects"}
    assert agreed | {"latency_ms"} <= run.summary.keys()
    times = run.summary["latency_ms"]
    assert 15 < times["p50"] <= times["p99"] <= times["max"]
    memory = run.summary["memory_mb"]
    assert {"controller", "camera", "inspector", "recorder", "total"} <= memory.keys()
    assert all(memory[name] > 1 for name in ("controller", "camera", "inspector", "recorder", "total"))
    assert run.summary["pace_per_min"] == 150


def test_the_table_says_what_the_summary_says(run: Run) -> None:
    rows = {line[:24].strip(): line[24:].split() for line in run.printed.splitlines()}
    for name, key in (("triggers", "triggers"), ("missing", "missing"), ("escapes", "escapes"), ("pass", "pass")):
        assert rows[name][0] == str(run.summary[key])
    assert "parts/s; the line runs at 150 bottles/min." in run.printed


def test_the_contact_sheet_is_named_last_and_is_a_picture(run: Run) -> None:
    name, path = run.printed.strip().splitlines()[-1].split(maxsplit=1)
    assert name == "rejects"
    assert cv2.imread(path) is not None
    crops = list((run.output / run.summary["run"] / "crops").glob("*.png"))
    assert len(crops) >= run.summary["reject_defect"]


@pytest.mark.slow
def test_ctrl_c_stops_the_line_in_order_and_prints_what_was_done(tmp_path: Path) -> None:
    acts = tmp_path / "out" / "rejecter.jsonl"
    with started(tmp_path, "60", "auto") as process:
        assert eventually(lambda: acts.exists() and acts.read_text().count('"seq"') >= 5)
        os.killpg(process.pid, signal.SIGINT)
        run = finish(process, tmp_path)
    assert run.code == 130
    assert run.summary["triggers"] >= 5
    assert run.summary["holds"]
    assert "Stopped before its time" in run.printed
    assert_nothing_is_left(tmp_path, runs=2)


def test_ctrl_c_while_the_line_starts_leaves_nothing_behind(tmp_path: Path) -> None:
    with started(tmp_path, "60", "auto") as process:
        assert eventually(lambda: (tmp_path / "out" / "warm-up" / "line.log").exists())
        os.killpg(process.pid, signal.SIGINT)
        run = finish(process, tmp_path)
    assert run.code == 130
    assert run.summary["holds"]
    assert_nothing_is_left(tmp_path, runs=1)


def test_a_daemon_that_refuses_its_station_ends_the_demo_with_its_reason(tmp_path: Path) -> None:
    refusal = "import sys; print('models/x: has no model.yaml', file=sys.stderr); sys.exit(3)"
    with started(tmp_path, "5", "auto", sys.executable, "-c", refusal) as process:
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 3
    assert "models/x: has no model.yaml" in said
    assert_nothing_is_left(tmp_path, runs=1)


@pytest.mark.slow
def test_an_inspector_that_cannot_start_ends_the_demo_with_its_reason(tmp_path: Path) -> None:
    with started(tmp_path, "5", "auto", sys.executable, str(DEMO.with_name("broken_line.py"))) as process:
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 4
    assert "models/x: has no model.yaml" in said
    assert_nothing_is_left(tmp_path, runs=1)


def test_an_output_that_cannot_be_written_is_said_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="file/out"):
        demo(output=tmp_path / "file" / "out")
    with pytest.raises(StorageError, match="file"):
        demo(output=tmp_path / "out", summary=tmp_path / "file" / "summary.json")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("seconds", 0.0),
        ("seconds", math.nan),
        ("pace", "0"),
        ("pace", "1201"),
        ("pace", "fast"),
        ("defect_rate", 2),
    ],
)
def test_arguments_that_make_no_sense_are_refused(tmp_path: Path, option: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')}.*must"):
        demo(output=tmp_path / "out", **{option: value})
    assert not (tmp_path / "out").exists()
