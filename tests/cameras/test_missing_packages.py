"""A station that names a camera whose package is not there, or times at which frames could be of two parts."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from linewatch.core.errors import StationError
from linewatch.core.station import load_station

PROJECT = Path(__file__).parents[2]
WITHOUT = """
import sys
from pathlib import Path
sys.modules[sys.argv[1]] = None  # as if it were not installed
from linewatch.check.station import check
print(*(finding.error for finding in check(Path(sys.argv[2]))), sep="\\n")
"""


def station(folder: Path, camera: dict[str, object], **line: float) -> Path:
    document = yaml.safe_load((PROJECT / "stations/bottle-sim.yaml").read_text())
    document["camera"] = {"width": 640, "height": 480, **camera}
    document["line"] = {"deadline_ms": 900, **line}
    document["detector"] = {"kind": "onnx", "model": "none.onnx", "output": "yolo", "classes": ["chip"]}
    path = folder / "station.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.mark.parametrize(
    ("kind", "package", "words"),
    [
        ("basler", "pypylon", "basler: needs pypylon: pip install 'linewatch[basler]'"),
        ("genicam", "gi", "genicam: needs Debian's gir1.2-aravis-0.8"),
    ],
)
def test_check_names_the_missing_package(tmp_path: Path, kind: str, package: str, words: str) -> None:
    command = [sys.executable, "-c", WITHOUT, package, str(station(tmp_path, {"kind": kind}))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    assert words in done.stdout


@pytest.mark.parametrize(("min_gap_ms", "refused"), [(45.0, True), (45.1, False)])
def test_a_hardware_trigger_needs_parts_further_apart_than_its_window(
    tmp_path: Path, min_gap_ms: float, refused: bool
) -> None:
    path = station(tmp_path, {"kind": "basler", "trigger": "hardware"}, min_gap_ms=min_gap_ms, max_capture_ms=40)
    if not refused:
        assert load_station(path).camera.kind == "basler"
        return
    with pytest.raises(StationError, match=r"early_ms \+ line\.max_capture_ms = 45 ms must be less than"):
        load_station(path)
