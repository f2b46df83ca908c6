"""Pieces of the page that need no process: who may see it, counts, and where boxes lie."""

from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from linewatch.core.curve import new_pair
from linewatch.core.errors import KeysError, StationError
from linewatch.core.keyring import Keyring
from linewatch.core.messages import Cause, Decision, Detection, Record, Verdict
from linewatch.core.shifts import Shifts
from linewatch.core.station import load_station
from linewatch.dashboard.counts import ShiftCounts
from linewatch.dashboard.in_use import keys_of, way_to
from linewatch.dashboard.log_tail import LogTail, logs_since
from linewatch.dashboard.pictures import shown
from linewatch.records.chained_log import ChainedLog
from linewatch.records.json_log import JsonLog
from linewatch.records.run_folder import RunFolder


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.7.1", "somewhere.example"])
def test_beyond_loopback_only_in_words(line: Any, host: str) -> None:
    line.write_station(dashboard={"host": host})
    with pytest.raises(StationError) as refused:
        load_station(line.path)
    assert str(line.path) in str(refused.value) and repr(host) in str(refused.value)
    if host != "somewhere.example":
        words = "i accept that anyone on this network can watch this line"
        line.write_station(dashboard={"host": host, "open_to_network": words})
        assert load_station(line.path).dashboard.host == host


def test_a_line_with_keys_wants_a_key_of_the_page_s_own(line: Any) -> None:
    line.write_station(endpoints={"observers": "tcp://*:5551"})
    with pytest.raises(StationError, match=r"dashboard\.key: .*linewatch keys new dashboard"):
        keys_of(load_station(line.path))
    line.write_station(endpoints={"observers": "tcp://*:5551"}, dashboard={"key": "keys/dashboard.key"})
    with pytest.raises(KeysError, match=r"keys/server\.pub"):
        keys_of(load_station(line.path))
    ring = Keyring(line.folder / "keys")
    for name in ("server", "dashboard"):
        ring.add(name, *new_pair())
    assert keys_of(load_station(line.path)) is not None
    assert way_to("tcp://*:5551", line.folder) == "tcp://127.0.0.1:5551"


def test_counts_begin_anew_with_the_shift() -> None:
    shifts = Shifts(time_zone="Europe/Berlin", starts={"early": "06:00", "late": "14:00"})
    counts = ShiftCounts(shifts, datetime.fromisoformat("2026-11-22T06:00+01:00"))
    assert counts.add("r", 1, Cause.DEFECT, "crack")
    assert not counts.add("r", 1, Cause.DEFECT, "crack")
    counts.turn(datetime.fromisoformat("2026-11-22T13:59+01:00"))
    assert counts.pareto() == [("crack", 1, "reject")]
    counts.turn(datetime.fromisoformat("2026-11-22T14:00+01:00"))
    assert (counts.pareto(), counts.passed, counts.failsafe) == ([], 0, 0)
    assert not counts.add("r", 1, Cause.DEFECT, "crack")


@pytest.mark.parametrize("left", [0.0, 150.0, 295.0])
def test_the_box_of_a_crop_lies_where_the_recorder_cut_it(tmp_path: Path, left: float) -> None:
    pixels = np.full((320, 320), 120, np.uint8)
    pixels[100:120, int(left) : int(left) + 25] = 30
    found = Detection("chip", 0.9, left, 100.0, 25.0, 20.0, "reject")
    decision = Decision("t1", "r", 1, Verdict.REJECT, Cause.DEFECT, 1, 2, 3, 380.0, 0.9, "chip")
    run = RunFolder(tmp_path, frames="none")
    run.record(Record(decision, (found,)), pixels)
    (line,) = LogTail(tmp_path).read()
    seen = shown(tmp_path, line, (320, 320))
    (box,) = seen.boxes
    cut = cv2.imread(str(tmp_path / seen.file), cv2.IMREAD_GRAYSCALE)
    assert cut is not None and cut.shape[::-1] == seen.size
    ys, xs = np.nonzero(cut == 30)
    assert (xs.min(), xs.max() + 1) == (box.x, box.x + box.width)
    assert (ys.min(), ys.max() + 1) == (box.y, box.y + box.height)
    (tmp_path / seen.file).write_bytes(b"no picture")
    assert shown(tmp_path, line, (320, 320)).reason == "the file is gone or damaged"


@pytest.mark.parametrize("open_log", [JsonLog, partial(ChainedLog, station="t1")])
def test_the_page_follows_a_log_of_either_kind(tmp_path: Path, open_log: Any) -> None:
    tail = LogTail(tmp_path / "r")
    assert tail.read() == []
    run = RunFolder(tmp_path / "r", open_log=open_log)
    assert tail.read() == []
    for seqs in ((1, 2), (3,)):
        for seq in seqs:
            run.record(Record(Decision("t1", "r", seq, Verdict.PASS, Cause.OK, 1, 2, 3, 380.0)), None)
        run.sync()
        assert [line.seq for line in tail.read()] == list(seqs)
        assert tail.read() == []
    run.close()
    assert tail.read() == []
    assert logs_since(tmp_path, 0.0) == [tmp_path / "r"]
