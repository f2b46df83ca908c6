"""`linewatch audit`: the commands of docs/audit.md as they stand there, and one clear line for whatever is wrong."""

import csv
import json
import os
import re
import resource
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import linewatch
from linewatch.cli.app import app
from linewatch.cli.ending import ended
from linewatch.core.keyfiles import read_secret
from linewatch.core.messages import Cause, Decision, Detection, Record, Verdict
from linewatch.records.chained_log import ChainedLog
from linewatch.records.decision_log import line_of, read_texts

PROJECT = Path(linewatch.__file__).parent.parent
RUN = "runs/demo/20261123T060000-abc123"
EXAMPLE = "973446d7644c4cdf03b2e28e1f4a4b3b6a0292add98e848ebe62b3a0cceb91c4"  # of the page, which cannot know ours


@pytest.fixture
def tip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The newest hash of a closed run of three parts, in the current folder."""
    monkeypatch.chdir(tmp_path)
    return written(Path(RUN), None)


def written(run: Path, key: str | None) -> str:
    """A closed run of three parts; returns its newest hash."""
    run.mkdir(parents=True)
    log = ChainedLog(run, "bottle-sim", key)
    crack = Detection("crack", 0.5, 1, 2, 3, 4, "reject")
    for seq in (1, 2, 3):
        bad = seq == 2
        verdict, cause = (Verdict.REJECT, Cause.DEFECT) if bad else (Verdict.PASS, Cause.OK)
        decision = Decision("bottle-sim", "r", seq, verdict, cause, 1, 2, 3, 4.0, 0.5 * bad, "crack" * bad, seq)
        wall = "2026-11-23T06:00:00.000+00:00"
        log.append([line_of(Record(decision, (crack,) * bad, source=f"part-{seq}", wall=wall), (), None, "absent")])
    log.close()
    return (run / "decisions.tip").read_text().split()[1]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and the one line that was said."""
    capsys.readouterr()
    code = ended(app, ["audit", *arguments])
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    return code, said


def test_every_command_of_the_page_works(tip: str, capsys: pytest.CaptureFixture[str]) -> None:
    page = (PROJECT / "docs/audit.md").read_text()
    lines = re.findall(r"^linewatch (?:audit|keys) .*", page, re.MULTILINE)
    assert len(lines) == 6
    for line in lines:
        if "--key" in line:
            shutil.rmtree(RUN)
            written(Path(RUN), read_secret(Path("keys/audit.key")))
        words = shlex.split(line.replace(EXAMPLE, tip))[1:]
        assert ended(app, [found for word in words for found in [*map(str, Path().glob(word))] or [word]]) == 0, line
    said = capsys.readouterr().out
    assert f"whole, 3 decisions of run {Path(RUN).name}, bottle-sim" in said
    assert said.count(f"newest row 3: {tip}") == 2
    assert said.count("newest row 3:") == 3
    database = Path(RUN, "decisions.sqlite")
    exported = Path("decisions.jsonl").read_bytes().splitlines()
    assert exported == [text for _, text in read_texts(database)]
    assert [json.loads(text)["seq"] for text in exported] == [1, 2, 3]
    with Path("decisions.csv").open(newline="") as file, closing(sqlite3.connect(database)) as connection:
        header, *rows = csv.reader(file)
        columns = ", ".join(f"coalesce({name}, '')" for name in header)
        asked = connection.execute(f"SELECT {columns} FROM decisions").fetchall()
    assert [[str(value) for value in row] for row in asked] == rows


@pytest.mark.usefixtures("tip")
def test_a_log_that_was_changed_has_an_exit_code_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "verify", RUN, "--tip", "xyz")[0] == 2
    code, said = refused(capsys, "verify", RUN, "--tip", "0" * 64)
    assert (code, "holds no row with this hash" in said) == (1, True)
    with closing(sqlite3.connect(Path(RUN, "decisions.sqlite"))) as connection, connection:
        connection.execute("""UPDATE lines SET line = replace(line, '"REJECT"', '"PASS"')""")
    assert refused(capsys, "verify", RUN) == (1, f"linewatch: {RUN}/decisions.sqlite: row 2: changed\n")


@pytest.mark.usefixtures("tip")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("verify", "nowhere"), "nowhere: No such file or directory"),
        (("verify", "runs"), "runs: holds no decision log (neither decisions.sqlite nor decisions.jsonl)"),
        (("verify", __file__), "test_audit_command.py: has no chain to verify"),
        (("export", __file__, "--output", "x"), "test_audit_command.py: line 1: is no decision"),
        (("export", "nowhere", "--output", "x"), "nowhere: No such file or directory"),
        (("export", RUN, "--output", "no/where.jsonl"), "no/where.jsonl: No such file or directory"),
        (("export", RUN, "--output", f"{RUN}/decisions.tip"), "decisions.tip: is there already: give another name"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    code, said = refused(capsys, *arguments)
    assert (code, words in said) == (5, True), said


@pytest.mark.usefixtures("tip")
def test_an_export_that_the_disk_does_not_take_leaves_nothing_behind() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "audit", "export", RUN, "--output", "out.jsonl"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(PROJECT)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (5, "linewatch: out.jsonl: File too large\n")
    assert sorted(path.name for path in Path().iterdir()) == ["runs"]
