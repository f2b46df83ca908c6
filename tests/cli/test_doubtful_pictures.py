"""A replay over pictures that no camera of the station gives: each part is rejected by name, and the run goes on."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]
WriteStation = Callable[..., Path]
SIDE_PX = 64


def write_pictures(folder: Path) -> None:
    folder.mkdir()
    good = np.random.default_rng(1).integers(0, 256, (SIDE_PX, SIDE_PX), np.uint8)
    cv2.imwrite(str(folder / "1_good.png"), good)
    cv2.imwrite(str(folder / "2_small.png"), good[: SIDE_PX // 2])
    cv2.imwrite(str(folder / "3_deep.png"), good.astype(np.uint16) * 256)
    cv2.imwrite(str(folder / "4_alpha.png"), np.repeat(good[:, :, None], 4, axis=2))
    whole = (folder / "1_good.png").read_bytes()
    (folder / "5_cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "6_words.png").write_text("no picture")
    (folder / "7_empty.png").touch()
    cv2.imwrite(str(folder / "8_good.png"), good)


@pytest.mark.slow
def test_each_is_a_named_reject_and_the_run_goes_on(run: Run, write_station: WriteStation, tmp_path: Path) -> None:
    write_pictures(tmp_path / "pictures")
    done = run("replay", "pictures", "--station", write_station(), "--output", "out")
    assert done.returncode == 0, done.stderr
    decisions = [json.loads(line) for line in (tmp_path / "out" / "decisions.jsonl").read_text().splitlines()]
    assert [decision["seq"] for decision in decisions] == list(range(1, 9))
    good, *doubtful, again = decisions
    assert (good["verdict"], good["cause"]) == (again["verdict"], again["cause"])
    assert good["cause"] in ("ok", "defect")
    for decision, word in zip(doubtful, ("64 x 32", "16", "alpha", "cut", "", ""), strict=True):
        assert (decision["verdict"], decision["cause"]) == ("REJECT", "incomplete_frame")
        assert word in decision["reason"], decision
    assert (tmp_path / "out" / "report.html").is_file()
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["decided"] == 8
