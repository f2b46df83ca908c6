"""Pictures that are wanted less go first, and those that are too old go; lines of the log stay, whatever happens."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from linewatch.core.messages import Note, Record, Verdict
from linewatch.core.station import Storage
from linewatch.records.ageing import Ageing
from linewatch.records.decision_log import read_decisions
from linewatch.records.retention import Retention, tag_of
from linewatch.records.run_folder import RunFolder
from linewatch.records.storage import PictureStore

Make = Callable[..., Any]
PROJECT = Path(__file__).parents[2]
DAY_S = 86_400
RULES = [{"class": "crack", "days": 365}, {"cause": "timeout", "days": 30}, {"class": "*", "days": 90}]


def retention(*rules: dict[str, Any]) -> Retention:
    return Retention(Storage.model_validate({"retention": list(rules or RULES)}).retention)


def parts(make_record: Make) -> list[Record]:
    """Two of each kind, in turn: a crack, a stone, one decided too late, a good one."""
    kinds: list[dict[str, Any]] = [{"label": "crack"}, {"label": "stone"}, {"cause": "timeout"}, {}]
    records = []
    for seq in range(1, 9):
        kind = kinds[(seq - 1) % 4]
        records.append(make_record(seq, Verdict.REJECT if kind else Verdict.PASS, **kind))
    return records


def write(run: RunFolder, records: list[Record], make_noise: Make) -> None:
    for record in records:
        run.record(record, make_noise(record.decision.seq))


def frames(run: Path) -> list[str]:
    return sorted(path.name for path in (run / "frames").iterdir())


def used(output: Path) -> int:
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in output.rglob("*.png"))


def age(path: Path, days: float) -> None:
    then = time.time() - days * DAY_S
    os.utime(path, (then, then))


def test_names_of_frames_say_cause_and_class_where_rules_ask(
    tmp_path: Path, make_record: Make, make_noise: Make
) -> None:
    store = PictureStore(tmp_path, 10**9, 0, retention())
    run = RunFolder(tmp_path / "a", frames="all", store=store)
    write(run, [*parts(make_record)[:4], make_record(5, cause="no_frame")], make_noise)
    run.close()
    assert frames(tmp_path / "a") == [
        "00000001_defect_crack.png", "00000002_defect_stone.png", "00000003_timeout.png", "00000004_ok.png",
        "00000005_no-frame.png",
    ]  # fmt: skip
    assert [line.frame for line in read_decisions(tmp_path / "a")][2] == "frames/00000003_timeout.png"


@pytest.mark.parametrize(
    ("folder", "name", "rank"),
    [
        ("crops", "00000001_crack_1.png", 3),
        ("frames", "00000001_defect_crack.png", 3),
        ("frames", "00000001_timeout.png", 2),
        ("crops", "00000001_timeout_1.png", 1),  # a class that is called as a cause is
        ("frames", "00000001_defect_stone.png", 1),
        ("frames", "00000001_ok.png", 1),
        ("frames", "00000001.png", 1),  # of a run without rules
    ],
)
def test_the_first_rule_that_fits_decides(folder: str, name: str, rank: int) -> None:
    assert retention().rank(folder, name) == rank
    assert retention({"class": "crack"}).rank(folder, name) == (1 if "crack" in name else 0)


def test_an_odd_class_is_found_again_by_its_name(make_record: Make) -> None:
    decision = make_record(1, label="missing_point / left").decision
    assert tag_of(decision) == "defect_missing-point-left"
    rules = retention({"class": "missing_point / left"})
    assert rules.rank("frames", f"00000001_{tag_of(decision)}.png") == 1


def test_the_oldest_of_the_least_wanted_go_first_over_all_runs(
    tmp_path: Path, make_record: Make, make_noise: Make
) -> None:
    for name in ("a", "b"):
        store = PictureStore(tmp_path, 10**9, 0, retention())
        run = RunFolder(tmp_path / name, crops=False, frames="all", store=store)
        write(run, parts(make_record), make_noise)
        run.close()
    store = PictureStore(tmp_path, used(tmp_path) + 4096, 0, retention())
    gone: list[str] = []
    there = {f"{name}/{frame}" for name in "ab" for frame in frames(tmp_path / name)}
    while store.make_way(1, tmp_path / "b", 9):
        now = {f"{name}/{frame}" for name in "ab" for frame in frames(tmp_path / name)}
        assert len(there - now) == 1
        gone += there - now
        there = now
        assert store.used_bytes == used(tmp_path)
    kinds = [name.partition("_")[2].removesuffix(".png") for name in gone]
    assert kinds == ["defect_stone", "ok"] * 4 + ["timeout"] * 4 + ["defect_crack"] * 4
    assert gone[:8] == sorted(gone[:8]) and gone[8:12] == sorted(gone[8:12]) and gone[12:] == sorted(gone[12:])
    assert [len(list(read_decisions(tmp_path / name))) for name in "ab"] == [8, 8]


def test_a_picture_that_is_wanted_less_and_came_later_goes_before_older_ones(
    tmp_path: Path, make_record: Make, make_noise: Make
) -> None:
    store = PictureStore(tmp_path, 10**9, 0, retention({"class": "crack"}))
    run = RunFolder(tmp_path / "a", crops=False, store=store)
    write(run, [make_record(seq) for seq in (1, 2, 3)], make_noise)
    assert store.make_way(1, tmp_path / "a", 4)  # nothing else is there: a crack goes, and more are lined up
    write(run, [make_record(4, label="stone")], make_noise)
    assert store.make_way(1, tmp_path / "a", 5)
    assert frames(tmp_path / "a") == ["00000002_defect_crack.png", "00000003_defect_crack.png"]
    assert store.used_bytes == used(tmp_path)
    run.close()


def test_what_is_too_old_goes_and_the_rest_stays(tmp_path: Path, make_record: Make, make_noise: Make) -> None:
    for name in ("a", "b"):
        store = PictureStore(tmp_path, 10**9, 0, retention())
        run = RunFolder(tmp_path / name, frames="all", store=store)
        write(run, parts(make_record)[:4], make_noise)
        run.close()
    (tmp_path / "a/frames/notes.png").write_bytes(b"not ours")
    for path in (tmp_path / "a").rglob("*.png"):
        age(path, 100)  # too old for all but a crack
    for path in (tmp_path / "b/frames").iterdir():
        age(path, 40)  # too old for what was decided too late
    age(tmp_path / "b/frames/00000004_ok.png", -400)  # from the future: some clock was wrong
    store = PictureStore(tmp_path, 10**9, 0, retention())
    told: list[str] = []
    run = RunFolder(tmp_path / "c", store=store, ageing=Ageing(store), tell=lambda kind, _: told.append(kind))
    run.sync()
    run.sync()
    assert frames(tmp_path / "a") == ["00000001_defect_crack.png", "notes.png"]
    assert [path.name for path in (tmp_path / "a/crops").iterdir()] == ["00000001_crack_1.png"]
    assert frames(tmp_path / "b") == ["00000001_defect_crack.png", "00000002_defect_stone.png", "00000004_ok.png"]
    assert store.used_bytes == used(tmp_path) - 4096  # without the one that is not ours
    assert told == ["pictures_expired"]
    assert [line.picture for line in read_decisions(tmp_path / "a")] == ["kept", "removed", "removed", "removed"]
    run.close()


def test_without_days_nothing_is_too_old(tmp_path: Path, make_record: Make, make_noise: Make) -> None:
    store = PictureStore(tmp_path, 10**9, 0, retention({"class": "crack"}))
    run = RunFolder(tmp_path / "a", store=store, ageing=Ageing(store))
    write(run, [make_record(1)], make_noise)
    for path in tmp_path.rglob("*.png"):
        age(path, 10_000)
    run.close()
    assert len(frames(tmp_path / "a")) == 1


def test_the_recorder_process_keeps_to_the_rules(
    warm_recorder: Make, make_record: Make, make_noise: Make, output: Path
) -> None:
    store = PictureStore(output, 10**9, 0, retention())
    before = RunFolder(output / "run-0", crops=False, frames="all", store=store)
    write(before, parts(make_record)[:4], make_noise)
    before.close()
    for path in (output / "run-0/frames").iterdir():
        age(path, 100)
    recorder = warm_recorder(retention=RULES, frames="all")
    recorder.send(make_record(1), make_noise(1))
    recorder.wait_for(Note, lambda note: note.kind == "pictures_expired")
    code, errors = recorder.stop()
    assert (code, "Traceback" in errors) == (0, False)
    assert frames(output / "run-0") == ["00000001_defect_crack.png"]
    assert frames(output / "run-1") == ["00000001_defect_crack.png"]


SMALL_DISK = """
import sys
from pathlib import Path
import numpy as np
from linewatch.core.messages import Cause, Decision, Record, Verdict
from linewatch.core.station import Storage
from linewatch.records.decision_log import read_decisions
from linewatch.records.retention import Retention
from linewatch.records.run_folder import RunFolder
from linewatch.records.storage import PictureStore

disk = Path(sys.argv[1])
rules = Storage.model_validate({"retention": [{"class": "crack"}, {"class": "*"}]}).retention
for name in ("a", "b"):
    run = RunFolder(disk / name, store=PictureStore(disk, 10**9, 300_000, Retention(rules)), tell=lambda *_: None)
    for seq in range(1, 31):
        label = "crack" if seq % 10 == 1 else "stone"
        decision = Decision("s", name, seq, Verdict.REJECT, Cause.DEFECT, 0, 1, 2, 3.0, label=label)
        run.record(Record(decision), np.random.default_rng(seq).integers(0, 256, (256, 256), dtype=np.uint8))
    run.close()
for name in ("a", "b"):
    print(" ".join(f"{line.label}:{line.picture}" for line in read_decisions(disk / name)))
"""


def test_on_a_real_small_disk_the_cracks_outlive_the_stones(tmp_path: Path) -> None:
    """A tmpfs of 2 MB, some 26 pictures, mounted for one process alone."""
    disk = tmp_path / "disk"
    disk.mkdir()
    words = f'mount -t tmpfs -o size=2m none {disk} && exec {sys.executable} -c "$SCRIPT" {disk}'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", words],
        capture_output=True, text=True, check=False,
        env={**os.environ, "SCRIPT": SMALL_DISK, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this machine lets nobody mount")
    assert done.returncode == 0, done.stderr
    first, second = (line.split() for line in done.stdout.splitlines())
    assert [state for state in first if state.startswith("stone")] == ["stone:removed"] * 27
    assert [state for state in first + second if state.startswith("crack")] == ["crack:kept"] * 6
    assert second[-1] == "stone:kept"
    stones = [state for state in second if state.startswith("stone")]
    assert stones == sorted(stones, reverse=True), "the oldest stones went first"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([{"days": 3}], "either class or cause must be given"),
        ([{"class": "crack", "cause": "timeout"}], "either class or cause must be given"),
        ([{"cause": "rain"}], "Input should be 'ok', 'defect'"),
        ([{"class": "crack", "days": 0}], "greater than 0"),
        ([{"class": "crack", "weeks": 1}], "Extra inputs"),
        ([{"class": "*"}, {"class": "crack"}], "1: class `*` stands before it and takes every picture"),
        ([{"class": "crack"}, {"class": "crack", "days": 3}], "1: crack has a rule already"),
    ],
)
def test_rules_that_cannot_be_are_refused(rules: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Storage.model_validate({"retention": rules})
    assert said in str(refused.value)
