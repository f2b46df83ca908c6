"""Run folders as the recorder leaves them: parts with a crack, a faint stain, both, or nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from linewatch.core.messages import Cause, Decision, Detection, Note, Record, Verdict
from linewatch.records.run_folder import RunFolder

PROJECT = Path(__file__).parents[2]
WIDTH, HEIGHT = 240, 200
CRACK = Detection("crack", 0.9, 20, 30, 40, 20, "reject")
FAINT = Detection("stain", 0.45, 120, 100, 30, 30, "ignore")
EDGE = Detection("stain", 0.8, 225, 180, 30, 40, "reject")  # reaches beyond the picture

PARTS = {1: (), 2: (CRACK,), 3: (FAINT,), 4: (CRACK, EDGE), 5: None}  # 5: in doubt, too dark to be inspected

MakeRun = Callable[..., Path]


def record_of(seq: int, found: tuple[Detection, ...] | None) -> Record:
    defect = bool(found) and any(one.effect == "reject" for one in found or ())
    cause = Cause.EXPOSURE if found is None else Cause.DEFECT if defect else Cause.OK
    verdict = Verdict.PASS if cause is Cause.OK else Verdict.REJECT
    decision = Decision("bottle", "run", seq, verdict, cause, seq, seq + 1, seq + 2, 980.0, counter=seq)
    return Record(decision, found or (), source=f"part-{seq}")


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Writes a run folder of PARTS. frames: which whole pictures are kept."""

    def make(frames: str = "all", name: str = "20261123T010203-abc123") -> Path:
        folder = RunFolder(tmp_path / "runs" / name, frames=frames)  # type: ignore[arg-type]
        folder.note(Note("child_ready", "inspector: bottle-1 0123456789ab on cpu"))
        for seq, found in PARTS.items():
            picture = np.random.default_rng(seq).integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
            folder.record(record_of(seq, found), picture)
        folder.close()
        return folder.path

    return make


@pytest.fixture
def station(tmp_path: Path) -> Path:
    """A station with a model of four classes and pictures of this size."""
    document = yaml.safe_load((PROJECT / "stations/bottle-sim.yaml").read_text())
    document["camera"] = {"kind": "opencv", "source": "0", "width": WIDTH, "height": HEIGHT}
    document["detector"] = {
        "kind": "onnx", "model": "none.onnx", "output": "linewatch", "classes": ["chip", "crack", "stain", "stone"],
    }  # fmt: skip
    document.pop("calibration", None)
    document["mm_per_px"] = 0.2
    path = tmp_path / "station.yaml"
    path.write_text(yaml.safe_dump(document))
    return path
