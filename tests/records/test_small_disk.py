"""Budget, floor and retention on a real file system of four megabytes, and a recorder whose disk fails."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linewatch.core.messages import Logged, Note
from linewatch.pictures.read import read_picture
from linewatch.records.decision_log import read_decisions

PROJECT = Path(__file__).parents[2]
Start = Callable[..., Any]
Make = Callable[..., Any]

# Three runs, one after the other, each with more pictures than fit; what is there is looked at after every part.
THREE_RUNS = """
import json, sys
from pathlib import Path
import numpy as np
from linewatch.core.messages import Cause, Decision, Record, Verdict
from linewatch.pictures.read import read_picture
from linewatch.records.decision_log import read_decisions
from linewatch.records.run_folder import RunFolder
from linewatch.records.storage import PictureStore, free_bytes

disk, budget, floor = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
least, most, states = 10**9, 0, {}
for name in ("a", "b", "c"):
    run = RunFolder(disk / name, frames="all", store=PictureStore(disk, budget, floor), tell=lambda *_: None)
    for seq in range(1, 31):
        decision = Decision("s", name, seq, Verdict.REJECT, Cause.DEFECT, 0, 1, 2, 3.0)
        run.record(Record(decision), np.random.default_rng(seq).integers(0, 256, (256, 256), dtype=np.uint8))
        least = min(least, free_bytes(disk))
        most = max(most, sum(path.stat().st_size for path in disk.rglob("*.png")))
    run.close()
for name in ("a", "b", "c"):
    lines = list(read_decisions(disk / name))
    assert all(read_picture(disk / name / line.frame).size for line in lines if line.frame)
    states[name] = [line.picture for line in lines]
print(json.dumps({"least_free": least, "most_used": most, "states": states}))
"""


def three_runs(folder: Path, budget: int, floor: int) -> dict[str, Any]:
    """On a tmpfs of 4 MB that is mounted for one process alone."""
    disk = folder / "disk"
    disk.mkdir()
    words = f'mount -t tmpfs -o size=4m none {disk} && exec {sys.executable} -c "$SCRIPT" {disk} {budget} {floor}'
    environment = {**os.environ, "SCRIPT": THREE_RUNS, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", words],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this machine lets nobody mount")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("budget", "floor"), [(10**9, 1_000_000), (1_500_000, 0)])
def test_floor_and_budget_hold_after_every_part_and_the_oldest_runs_make_way(
    tmp_path: Path, budget: int, floor: int
) -> None:
    found = three_runs(tmp_path, budget, floor)
    assert found["least_free"] >= floor - 64_000  # log lines have priority over the floor
    assert found["most_used"] <= budget
    states = found["states"]
    assert [len(states[name]) for name in "abc"] == [30, 30, 30]
    assert set(states["a"]) == {"removed"}
    assert states["c"][-1] == "kept"
    order = [state == "removed" for name in "abc" for state in states[name]]
    assert order == sorted(order, reverse=True), "the oldest go first"


def test_a_disk_that_fails_is_told_and_what_it_did_not_take_is_not_confirmed(
    warm_recorder: Start, make_record: Make, make_noise: Make, output: Path
) -> None:
    recorder = warm_recorder(module="linewatch.faults.failing_recorder")
    recorder.send(make_record(1), make_noise(1))
    recorder.wait_for(Logged, lambda logged: logged.count == 1)
    recorder.process.send_signal(signal.SIGUSR1)
    recorder.send(make_record(2), make_noise(2))
    assert "Input/output error" in recorder.wait_for(Note, lambda note: note.kind == "pictures_refused").text
    assert "Input/output error" in recorder.wait_for(Note, lambda note: note.kind == "log_waiting").text
    recorder.send(make_record(3), make_noise(3))
    assert recorder.process.poll() is None
    recorder.kill()
    assert [one for one in recorder.seen if isinstance(one, Logged)] == []
    (line,) = read_decisions(output / "run-1")
    assert line.frame is not None
    assert read_picture(output / "run-1" / line.frame).size
