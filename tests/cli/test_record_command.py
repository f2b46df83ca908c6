"""`linewatch record` against a virtual gate, and `linewatch replay` of what it kept."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from linewatch.pictures.recording import open_recording
from linewatch.sim.gate import VirtualGate

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., subprocess.Popen[str]]
WriteStation = Callable[..., Path]
PARTS = 4


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_what_is_recorded_is_replayed(start: Start, run: Run, write_station: WriteStation, tmp_path: Path) -> None:
    with VirtualGate() as gate:
        station = write_station(gate={"kind": "framed", "port": gate.path})
        process = start("record", station, "--output", "kept", "--limit", PARTS)
        assert process.stderr is not None
        ready = 0
        while ready < 3:
            line = process.stderr.readline()
            assert line, "the line ended before it was ready"
            ready += '"child_ready"' in line
        for _ in range(PARTS + 2):  # more than are wanted
            gate.fire()
            time.sleep(0.05)
        process.communicate(timeout=60)
    assert process.returncode == 0
    recording = open_recording(tmp_path / "kept")
    assert [entry.seq for entry in recording.entries] == list(range(1, PARTS + 1))
    assert all(entry.path is not None and entry.t_trigger_ns is not None for entry in recording.entries)

    done = run("replay", "kept", "--station", recording.station, "--output", "again")
    assert done.returncode == 0, done.stderr
    decisions = [json.loads(line) for line in (tmp_path / "again" / "decisions.jsonl").read_text().splitlines()]
    assert [decision["cause"] in ("ok", "defect") for decision in decisions] == [True] * PARTS

    refused = run("record", station, "--output", "kept")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (5, 1)
    assert "kept: holds a recording already" in refused.stderr
