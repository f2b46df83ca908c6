"""What keeps the shadow out of the line's way, as the kernel and the feed see it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from linewatch.cli import main
from linewatch.core.errors import StationError, StorageError
from linewatch.core.messages import Cause, Decision, Look, Record, Verdict
from linewatch.core.ring import FrameRing
from linewatch.core.station import load_station
from linewatch.line.shadow_feed import ShadowFeed
from linewatch.line.supervisor import standard_children
from linewatch.shadow.report import write_shadow_report

PROJECT = Path(__file__).parents[2]
STATION = PROJECT / "stations/bottle-sim.yaml"

ASIDE = """\
import os
from pathlib import Path
from linewatch.shadow.isolation import limit_memory, step_back
step_back()
limit_memory(200)
print(os.sched_getscheduler(0) == os.SCHED_IDLE, os.nice(0), Path("/proc/self/oom_score_adj").read_text().strip())
try:
    bytearray(400_000_000)
except MemoryError:
    print("refused")
"""


def record(seq: int, slot: int = 0) -> Record:
    decision = Decision("s", "r", seq, Verdict.PASS, Cause.OK, 1, 2, 3, 4.0)
    return Record(decision, slot=slot, generation=2)


def test_it_runs_when_nothing_else_does_and_is_the_first_to_go() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASIDE],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "19", "1000", "refused"]


def test_one_part_at_a_time_is_shown_and_the_others_are_counted() -> None:
    sent: list[Look] = []

    def send(look: Look) -> bool:
        sent.append(look)
        return True

    feed = ShadowFeed(send)
    feed.offer(record(1))
    feed.is_there = True
    for seq in (2, 3, 4):
        feed.offer(record(seq))
    feed.looked(3)  # not the one it has
    feed.offer(record(5))
    feed.looked(2)
    feed.offer(record(6, slot=-1))  # nothing to show
    feed.offer(record(7))
    feed.lost()
    feed.offer(record(8))
    assert [(look.seq, look.busy, look.absent) for look in sent] == [(2, 0, 1), (7, 3, 1)]
    assert (feed.shown, feed.busy, feed.absent) == (2, 3, 2)


def test_a_shadow_that_takes_nothing_counts_as_busy() -> None:
    feed = ShadowFeed(lambda _: False)
    feed.is_there = True
    feed.offer(record(1))
    feed.offer(record(2))
    assert (feed.shown, feed.busy) == (0, 2)


def test_a_reader_cannot_write_into_the_ring(tmp_path: Path) -> None:
    FrameRing.create(tmp_path, 2, 16).close()
    ring = FrameRing.open(tmp_path, read_only=True)
    with pytest.raises(TypeError):
        ring.write(1, memoryview(bytes(16)), 4, 4, 1)


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ("{model: m, device: cuda}", r"shadow\.device: 'cuda': Input should be 'cpu'"),
        ("{model: m, extra: 1}", r"shadow\.extra: 1: unknown key"),
        ("{kind: onnx, model: m}", r"shadow\.classes: Field required"),
        ("{model: m, acceptance: []}", r"shadow\.acceptance: "),
    ],
)
def test_a_wrong_section_is_refused(tmp_path: Path, section: str, reason: str) -> None:
    path = tmp_path / "station.yaml"
    path.write_text(STATION.read_text() + f"shadow: {section}\n")
    with pytest.raises(StationError, match=reason):
        load_station(path)


def test_the_candidate_is_the_station_with_another_detector(tmp_path: Path) -> None:
    path = tmp_path / "station.yaml"
    assert load_station(STATION).candidate is None and len(standard_children(STATION, load_station(STATION))) == 3
    path.write_text(STATION.read_text() + "shadow: {model: models/next, acceptance: [{class: '*', min_score: 0.9}]}\n")
    station = load_station(path)
    assert station.candidate is not None
    assert station.candidate.detector.model == tmp_path / "models/next"
    assert [one.min_score for one in station.candidate.acceptance] == [0.9]
    assert standard_children(path, station)[-1].optional
    path.write_text(STATION.read_text() + "shadow: {model: models/next}\n")
    assert load_station(path).candidate.acceptance == station.acceptance  # type: ignore[union-attr]


def test_check_says_what_keeps_the_shadow_from_looking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, onnx = tmp_path / "station.yaml", {"kind": "onnx", "output": "yolo", "classes": ["spot"]}
    document = yaml.safe_load(STATION.read_text()) | {"acceptance": [{"class": "spot"}]}
    shadow = onnx | {"model": "next.onnx", "acceptance": [{"class": "stain"}]}
    path.write_text(yaml.safe_dump(document | {"detector": onnx | {"model": "now.onnx"}, "shadow": shadow}))
    assert main(["check", str(path), "--offline"]) == 3
    said = capsys.readouterr().err
    assert "now.onnx: " in said and "next.onnx: " in said and f"{path}: shadow" in said


def test_a_run_without_a_shadow_has_no_report(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"shadow\.jsonl: no shadow has looked at this run"):
        write_shadow_report(tmp_path, tmp_path / "report")
    (tmp_path / "shadow.jsonl").write_text('{"kind":"part","seq":1}\n')
    with pytest.raises(StorageError, match=r"shadow\.jsonl: line 1: is none of a shadow's log"):
        write_shadow_report(tmp_path, tmp_path / "report")
    assert not (tmp_path / "report").exists()
