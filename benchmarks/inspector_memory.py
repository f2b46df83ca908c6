"""What the inspector holds in memory when it is warm: DS-MoE in torch, and the same network as ONNX file.

Compares the proportional set size (PSS: shared pages divided among those who share them) and the resident set size of a
process that has opened, assembled and warmed up the detector of a station, as the inspector does before it says ready.

    python -m benchmarks.inspector_memory [MODEL] [--exports FOLDER]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

_INSPECTOR = """
import sys
from pathlib import Path
from linewatch.core.clock import MonotonicClock
from linewatch.core.station import load_station
from linewatch.inspection.inspector import assemble
from linewatch.inspection.start import open_detector
station = load_station(Path(sys.argv[1]))
detector = open_detector(station)
assemble(station, detector, MonotonicClock(), sys.argv[1])
detector.warm_up()
print(Path("/proc/self/smaps_rollup").read_text())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=Path("models/bottle-bottom"))
    parser.add_argument("--exports", type=Path, default=Path("scratch/exports"), help="where ONNX files are kept")
    given = parser.parse_args()
    card = yaml.safe_load((given.model / "model.yaml").read_text())
    onnx = given.exports / f"{given.model.name}-{card['sha256'][:12]}.onnx"  # as benchmarks.runtime leaves it
    sections = {
        "dsmoe": {"kind": "dsmoe", "model": str(given.model.resolve()), "device": "cpu", "threads": 1},
        "onnx": {"kind": "onnx", "model": str(onnx.resolve()), "output": "linewatch", "classes": card["classes"]},
    }
    print(f"\ninspector with {card['name']}, warm; MB")
    for kind, section in sections.items():
        pss, rss = held({**section, "threads": 1}, card["input_px"])
        print(f"  {kind:6} PSS {pss:6.0f}   RSS {rss:6.0f}")


def held(detector: dict[str, object], side_px: int) -> tuple[float, float]:
    """PSS and RSS in MB of an inspector with this section."""
    station = {
        "name": "memory",
        "gate": {"kind": "framed", "port": "none"},
        "camera": {"kind": "simulated", "width": side_px, "height": side_px},
        "detector": detector,
        "acceptance": [{"class": "*"}],
        "rejecter": {"transport_ms": 1000},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "station.yaml"
        path.write_text(yaml.safe_dump(station), encoding="utf-8")
        command = [sys.executable, "-c", _INSPECTOR, str(path)]
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    sizes = {key: int(value.split()[0]) / 1e3 for key, _, value in (line.partition(":") for line in lines[1:]) if value}
    return sizes["Pss"], sizes["Rss"]


if __name__ == "__main__":
    main()
