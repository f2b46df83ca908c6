"""The commands of docs/quality.md, each run as it stands there, on a station whose model has learnt nothing."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import linewatch
from linewatch.challenge.parts import ChallengeSet
from linewatch.core.messages import Cause, Decision, Detection, Record, Verdict
from linewatch.core.shifts import Shifts
from linewatch.pictures.write import write_png
from linewatch.records.run_folder import RunFolder
from tests.docs.blocks import blocks_of

DOCUMENT = Path(linewatch.__file__).parents[1] / "docs" / "quality.md"
SIDE_PX = 64


def documented() -> list[list[str]]:
    """The words of each command line, without the program's name; slow blocks are run with the other documents."""
    scripts = [block.script for block in blocks_of(DOCUMENT) if block.mode != "slow"]
    return [shlex.split(line)[1:] for script in scripts for line in script.splitlines()]


@pytest.fixture
def site(tmp_path: Path, write_station: Callable[..., Path]) -> Path:
    """The folder that the page speaks of: station, set, pictures, and one run of two parts in the early shift."""
    path = write_station(shifts={"time_zone": "Europe/Berlin"}, dashboard={})
    (tmp_path / "stations").mkdir()
    path.rename(tmp_path / "stations" / "bottle-sim.yaml")
    known_bad = {"name": "s", "parts": [{"name": "crack-01", "expect": ["crack"]}]}
    (tmp_path / "challenge.yaml").write_text(yaml.safe_dump(known_bad))
    (tmp_path / "known-bad").mkdir()
    picture = np.full((SIDE_PX, SIDE_PX), 100, np.uint8)
    write_png(tmp_path / "known-bad" / "crack-01.png", picture)
    run = RunFolder(tmp_path / "runs" / "20261120T040000-aaaaaa")
    found = (Detection("crack", 0.9, 10, 10, 20, 20, "reject"),)
    for seq, wall in enumerate(("2026-11-20T05:00:00+00:00", "2026-11-20T09:00:00+00:00"), start=1):
        decision = Decision("t", run.path.name, seq, Verdict.REJECT, Cause.DEFECT, 1, 2, 3, 10.0, 0.9, "crack")
        run.record(Record(decision, found, wall=wall), picture)
    run.close()
    return tmp_path


def test_the_document_s_set_and_shifts_are_what_it_says() -> None:
    shifts, known_bad = re.findall(r"^```yaml\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert Shifts.model_validate(yaml.safe_load(shifts)["shifts"]) == Shifts()
    assert len(ChallengeSet.model_validate(yaml.safe_load(known_bad)).parts) == 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_of_the_document_does_what_it_says(site: Path, run: Callable[..., Any]) -> None:
    codes, said = [], []
    for words in documented():
        done = run(*words)
        codes.append(done.returncode)
        said.append(done.stdout + done.stderr)
    report, last, span, signing, live, feed, verify = codes
    assert (report, span, signing) == (0, 0, 0), said
    assert last in (0, 1)  # what was the last shift depends on today
    assert (live, "no heartbeat of t" in said[4]) == (4, True)
    assert (feed, verify) == (6, 6)  # this model has learnt nothing and lets everything pass
    assert "1 of 1 known-bad parts were not caught" in said[5]
    assert "signed by challenge, and as it was" in said[6]
    assert (site / "reports" / "t-2026-11-20-early.pdf").is_file()
    assert (site / "reports/nightly.html").is_file()
