"""Real 1-bit board pictures and their COCO truth, where the data set is at hand."""

import os
from pathlib import Path
from types import ModuleType

import pytest

from linewatch.replay.run import replay

DATASETS = Path(os.environ.get("LINEWATCH_DATASETS", Path(__file__).parents[3] / "shared" / "datasets"))
DEEPPCB = DATASETS / "deeppcb"

pytestmark = pytest.mark.skipif(not DEEPPCB.is_dir(), reason="the DeepPCB pictures are not on this machine")


def test_real_boards_are_read_and_matched_with_both_truth_files(
    station_file: Path, tmp_path: Path, spot_replay: ModuleType
) -> None:
    station_file.write_text(
        station_file.read_text().replace("width: 48", "width: 640").replace("height: 32", "height: 640")
    )
    summary = replay(
        DEEPPCB / "images",
        station_file,
        output=tmp_path / "out",
        limit=12,
        truth=[DEEPPCB / "trainval.json", DEEPPCB / "trainval_good.json"],
        detector=spot_replay.Spots(),
    )
    assert summary.truth is not None
    assert (summary.truth.good, summary.truth.bad, summary.truth.unknown, summary.failsafe) == (6, 6, 0, 0)
    # Every board has white pixels, which this detector takes for spots: all are rejected, so half of them wrongly.
    assert summary.truth.false_rejects is not None and summary.truth.escapes is not None
    assert (summary.truth.false_rejects.count, summary.truth.escapes.count) == (6, 0)
