"""A run folder without any process: lines, crops, frames, summary; what the disk refuses."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from linewatch.core.errors import CalibrationError, StorageError
from linewatch.core.messages import Cause, Detection, Verdict
from linewatch.pictures.read import read_picture
from linewatch.pictures.types import Picture
from linewatch.records.crops import MOST_CROPS, crop, crop_file, seq_of
from linewatch.records.decision_log import read_decisions
from linewatch.records.run_folder import RunFolder
from linewatch.records.storage import PictureStore
from linewatch.records.summary import read_summary

Make = Callable[..., Any]
PROJECT = Path(__file__).parents[2]
BLACK = np.zeros((100, 200), np.uint8)


def found(x: float, y: float, width: float, height: float, effect: str = "reject", label: str = "crack") -> Detection:
    return Detection(label, 0.8, x, y, width, height, effect)


def without_times(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "decisions.jsonl").read_text().splitlines()]
    for line in lines:
        del line["times"]
    return lines


def test_a_line_says_everything_about_its_part(tmp_path: Path, make_record: Make) -> None:
    run = RunFolder(tmp_path / "run", frames="none", crops=False)
    run.record(make_record(7), BLACK)
    run.close()
    assert without_times(tmp_path / "run") == [
        {
            "seq": 7,
            "source": "part-7",
            "verdict": "REJECT",
            "cause": "defect",
            "reason": "",
            "score": 0.9,
            "class": "crack",
            "counter": 12,
            "detections": [
                {"class": "crack", "score": 0.9, "x": 70, "y": 60, "width": 20, "height": 30, "effect": "reject"}
            ],
            "crops": [],
            "frame": None,
            "picture": "unwanted",
        }
    ]


def test_two_runs_over_the_same_parts_differ_in_their_times_only(
    tmp_path: Path, make_record: Make, make_noise: Make
) -> None:
    for number, name in enumerate(("a", "b")):
        run = RunFolder(tmp_path / name)
        for seq in (1, 2, 3):
            record = make_record(seq, Verdict.PASS if seq == 2 else Verdict.REJECT, run=name)
            decision = msgspec.structs.replace(record.decision, t_trigger_ns=number * 10**9 + seq)
            run.record(msgspec.structs.replace(record, decision=decision), make_noise(seq))
        run.close()
    assert without_times(tmp_path / "a") == without_times(tmp_path / "b")
    assert (tmp_path / "a/decisions.jsonl").read_bytes() != (tmp_path / "b/decisions.jsonl").read_bytes()
    for name in ("crops/00000003_crack_1.png", "frames/00000001.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("frames", "kept"), [("none", []), ("rejects", ["00000001.png"]), ("all", ["00000001.png", "00000002.png"])]
)
def test_the_station_says_which_frames_are_kept(
    tmp_path: Path, make_record: Make, frames: Any, kept: list[str]
) -> None:
    run = RunFolder(tmp_path / "run", frames=frames)
    run.record(make_record(1), BLACK)
    run.record(make_record(2, Verdict.PASS), BLACK)
    run.close()
    assert sorted(path.name for path in (tmp_path / "run/frames").iterdir()) == kept


def test_a_warning_on_a_good_part_leaves_its_crop(tmp_path: Path, make_record: Make, make_noise: Make) -> None:
    run = RunFolder(tmp_path / "run")
    warned = make_record(1, Verdict.PASS, detections=(found(10, 10, 20, 20, "warn"), found(60, 60, 9, 9, "ignore")))
    run.record(warned, make_noise(1))
    run.close()
    (line,) = read_decisions(tmp_path / "run")
    assert (line.crops, line.frame, len(line.detections)) == (("crops/00000001_crack_1.png",), None, 2)
    assert np.array_equal(read_picture(tmp_path / "run" / line.crops[0]), make_noise(1)[:96, :96])


def test_crops_and_frames_come_from_the_rectified_picture(tmp_path: Path, make_record: Make, make_noise: Make) -> None:
    def turned(picture: Picture) -> Picture:
        return np.ascontiguousarray(picture[::-1])

    run = RunFolder(tmp_path / "run", rectify=turned)
    run.record(make_record(1), make_noise(1))
    run.close()
    assert np.array_equal(read_picture(tmp_path / "run/frames/00000001.png"), turned(make_noise(1)))


def test_a_picture_that_cannot_be_rectified_is_kept_as_it_came(tmp_path: Path, make_record: Make) -> None:
    def refuses(_picture: Picture) -> Picture:
        raise CalibrationError("calibration", "another size")

    run = RunFolder(tmp_path / "run", rectify=refuses)
    run.record(make_record(1), BLACK)
    run.close()
    (line,) = read_decisions(tmp_path / "run")
    assert (line.crops, line.frame) == ((), "frames/00000001.png")


def test_numbers_that_are_none_never_reach_the_log(tmp_path: Path, make_record: Make) -> None:
    nan = float("nan")
    run = RunFolder(tmp_path / "run")
    record = make_record(1, cause=Cause.NON_FINITE, detections=(found(nan, 1, 2, 3), found(1, 1, float("inf"), 3)))
    run.record(msgspec.structs.replace(record, decision=msgspec.structs.replace(record.decision, score=nan)), BLACK)
    run.close()
    (line,) = read_decisions(tmp_path / "run")
    assert (line.detections, line.score, line.crops) == ((), 0.0, ())


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path, make_record: Make) -> None:
    run = RunFolder(tmp_path / "run")
    for seq in (1, 2, 3):
        run.record(make_record(seq), None)
    run.close()
    log = tmp_path / "run/decisions.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join([lines[0], lines[1].replace("REJECT", "MAYBE"), lines[2]]) + "\n")
    with pytest.raises(StorageError, match=r"decisions\.jsonl: line 2: is no decision: Invalid enum value 'MAYBE'"):
        list(read_decisions(tmp_path / "run"))


def test_summary_counts_by_verdict_cause_class_and_gaps(tmp_path: Path, make_record: Make) -> None:
    run = RunFolder(tmp_path / "run")
    for seq, label in ((1, "crack"), (2, "stone"), (5, "crack")):
        run.record(make_record(seq, label=label), None)
    run.record(make_record(6, cause="timeout"), None)
    run.record(make_record(7, Verdict.PASS), None)
    summary = run.close()
    assert (summary.decided, summary.passed, summary.rejected, summary.failsafe) == (5, 1, 4, 1)
    assert (summary.first_seq, summary.last_seq, summary.missing) == (1, 7, 2)
    assert summary.causes == {"defect": 3, "ok": 1, "timeout": 1}
    assert list(summary.classes.items()) == [("crack", 2), ("stone", 1)]
    assert read_summary(tmp_path / "run") == summary


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ((90, 40, 10, 10), (96, 96)),
        ((0, 0, 5, 5), (96, 96)),
        ((195, 95, 5, 5), (96, 96)),
        ((10, 10, 150, 20), (96, 198)),
        ((-50, -50, 400, 400), (100, 200)),
        ((50, 40, 0, 0), (96, 96)),
    ],
)
def test_a_crop_has_a_margin_and_a_least_size(box: tuple[float, float, float, float], shape: tuple[int, int]) -> None:
    cut = crop(BLACK, found(*box))
    assert cut is not None
    assert cut.shape == shape


@pytest.mark.parametrize("box", [(200, 0, 5, 5), (0, 100, 5, 5), (-10, 0, 10, 5)])
def test_a_box_outside_of_the_picture_has_no_crop(box: tuple[float, float, float, float]) -> None:
    assert crop(BLACK, found(*box)) is None


def test_a_crop_of_a_small_colour_picture_is_the_picture() -> None:
    cut = crop(np.zeros((20, 30, 3), np.uint8), found(5, 5, 3, 3))
    assert cut is not None
    assert cut.shape == (20, 30, 3)


@pytest.mark.parametrize("label", ["crack", "../../etc/passwd", "a b/c", "Blase äöü", ""])
def test_crop_names_are_safe_and_lead_back_to_their_part(label: str) -> None:
    name = crop_file(12, label, 3)
    assert Path(name).parent == Path("crops")
    assert seq_of(Path(name).name) == 12
    assert seq_of("notes.png") is None


def test_a_network_gone_wrong_leaves_few_crops(tmp_path: Path, make_record: Make) -> None:
    run = RunFolder(tmp_path / "run", frames="none")
    run.record(make_record(1, detections=tuple(found(n, 10, 5, 5) for n in range(150))), BLACK)
    run.close()
    (line,) = read_decisions(tmp_path / "run")
    assert (len(line.crops), len(line.detections)) == (MOST_CROPS, 150)


def test_an_unwritable_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(StorageError, match=r"run"):
        RunFolder(tmp_path / "run")


FULL_DISK = """
import json, os, sys
from pathlib import Path
import numpy as np
from linewatch.core import logs
from linewatch.core.messages import Cause, Decision, Record, Verdict
from linewatch.records.chained_log import ChainedLog
from linewatch.records.decision_log import read_decisions
from linewatch.records.json_log import JsonLog
from linewatch.records.run_folder import RunFolder
from linewatch.records.storage import PictureStore

logs.set_up("test")
disk, told = Path(sys.argv[1]), []
tell = lambda kind, text: told.append((kind, text))
store = PictureStore(disk, 10**9, 0) if sys.argv[2] == "store" else None
open_log = JsonLog if sys.argv[3] == "lines" else lambda folder: ChainedLog(folder, "s")
run = RunFolder(disk / "run", store=store, tell=tell, open_log=open_log)
def record(seq, pixels):
    decision = Decision("s", "run", seq, Verdict.REJECT, Cause.TIMEOUT, 0, 1, 2, 3.0)
    run.record(Record(decision, source="x" * 2000), pixels)
    run.sync()
for seq in range(1, 41):
    record(seq, np.random.default_rng(seq).integers(0, 256, (256, 256), dtype=np.uint8))
states = [line.picture for line in read_decisions(disk / "run")]
(disk / "other").write_bytes(b"")
with open(disk / "other", "wb", buffering=0) as file:  # somebody else takes what is left
    try:
        while True:
            file.write(b"x" * 4096)
    except OSError:
        pass
for seq in range(41, 61):
    record(seq, None)
during = sum(1 for _ in read_decisions(disk / "run"))
(disk / "other").unlink()
for seq in range(1, 9):
    (disk / f"run/frames/{seq:08d}.png").unlink(missing_ok=True)
run.sync()
summary = run.close()
print(json.dumps({"states": states, "during": during, "after": sum(1 for _ in read_decisions(disk / "run")),
                  "told": [kind for kind, _ in told], "lost": summary.log_lost}))
"""


def on_a_small_disk(tmp_path: Path, mode: str, kind: str) -> dict[str, Any]:
    """Run FULL_DISK on a real file system of one megabyte, mounted for that process alone."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = f'mount -t tmpfs -o size=1m none {disk} && exec {sys.executable} -c "$SCRIPT" {disk} {mode} {kind}'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", mounted],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SCRIPT": FULL_DISK, "PYTHONPATH": str(PROJECT)},
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this machine lets nobody mount")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize("kind", ["lines", "rows"])
def test_on_a_full_disk_pictures_are_refused_and_no_line_is_lost(tmp_path: Path, kind: str) -> None:
    result = on_a_small_disk(tmp_path, "none", kind)
    assert result["states"][0] == "kept"
    assert result["states"][-1] == "refused"
    assert result["told"][0] == "pictures_refused"
    assert "log_waiting" in result["told"]
    assert result["during"] < 60
    assert (result["after"], result["lost"]) == (60, 0)


@pytest.mark.parametrize("kind", ["lines", "rows"])
def test_with_a_store_the_oldest_pictures_make_way_on_a_full_disk(tmp_path: Path, kind: str) -> None:
    result = on_a_small_disk(tmp_path, "store", kind)
    assert result["states"][0] == "removed"
    assert result["states"][-1] == "kept"
    assert (result["after"], result["lost"]) == (60, 0)


def used(output: Path) -> int:
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in output.rglob("*.png"))


def test_the_budget_holds_after_every_single_part(tmp_path: Path, make_record: Make, make_noise: Make) -> None:
    budget = 400_000
    store = PictureStore(tmp_path, budget, 0)
    run = RunFolder(tmp_path / "run", store=store)
    for seq in range(1, 41):
        run.record(make_record(seq), make_noise(seq))
        assert used(tmp_path) <= budget
        assert store.used_bytes == used(tmp_path)
    run.close()
    lines = list(read_decisions(tmp_path / "run"))
    assert len(lines) == 40
    assert [line.picture for line in lines[-3:]] == ["kept"] * 3
    assert lines[0].picture == "removed"
    assert lines[0].crops == ()
    gone = [line.picture == "removed" for line in lines]
    assert gone == sorted(gone, reverse=True), "the oldest go first"


def test_older_runs_make_way_first_and_keep_their_logs(tmp_path: Path, make_record: Make, make_noise: Make) -> None:
    for name in ("old", "older-by-name-only"):
        run = RunFolder(tmp_path / name)
        for seq in (1, 2, 3):
            run.record(make_record(seq), make_noise(seq))
        run.close()
    (tmp_path / "old/notes.png").write_bytes(b"not ours")
    (tmp_path / "holiday/frames").mkdir(parents=True)
    (tmp_path / "holiday/frames/00000001.png").write_bytes(b"a folder without a decision log is not ours")
    store = PictureStore(tmp_path, used(tmp_path / "old") * 2, 0)
    run = RunFolder(tmp_path / "new", store=store)
    for seq in (1, 2):
        run.record(make_record(seq), make_noise(seq))
    run.close()
    assert [line.picture for line in read_decisions(tmp_path / "old")] == ["removed", "removed", "kept"]
    assert [line.picture for line in read_decisions(tmp_path / "older-by-name-only")] == ["kept"] * 3
    assert (tmp_path / "old/notes.png").exists()
    assert (tmp_path / "holiday/frames/00000001.png").exists()


def test_a_floor_above_what_is_free_refuses_pictures_and_keeps_lines(tmp_path: Path, make_record: Make) -> None:
    told: list[str] = []
    run = RunFolder(
        tmp_path / "run", store=PictureStore(tmp_path, 10**9, 10**18), tell=lambda kind, text: told.append(kind + text)
    )
    for seq in range(1, 5):
        run.record(make_record(seq), BLACK)
    summary = run.close()
    assert summary.pictures == {"refused": 4}
    assert len(told) == 1
    assert "floor_mb" in told[0]


def test_a_picture_larger_than_the_budget_is_refused(tmp_path: Path, make_record: Make, make_noise: Make) -> None:
    run = RunFolder(tmp_path / "run", store=PictureStore(tmp_path, 10_000, 0))
    run.record(make_record(1), make_noise(1))
    assert run.close().pictures == {"refused": 1}


def test_pictures_that_others_removed_do_not_count(tmp_path: Path, make_record: Make, make_noise: Make) -> None:
    store = PictureStore(tmp_path, 120_000, 0)
    run = RunFolder(tmp_path / "run", store=store)
    for seq in (1, 2):
        run.record(make_record(seq), make_noise(seq))
    for path in tmp_path.rglob("*.png"):
        path.unlink()
    for seq in (3, 4, 5):
        run.record(make_record(seq), make_noise(seq))
        assert used(tmp_path) <= 120_000
    assert run.close().pictures == {"kept": 5}
