"""How much faster a replay is with two workers than with one: `python -m benchmarks.spread FOLDER --station FILE`.

One process, one worker and two workers in turn, over and over, one thread each, so that a machine that is busy with
other things is as busy for all three. Timed is the playing alone, with the network warm. The logs must be the same.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from linewatch.replay.progress import silent
from linewatch.replay.run import replay
from linewatch.replay.spread.spread import Wish

_RUNS = {"one process": None, "1 worker": Wish("local", 1, 1), "2 workers": Wish("local", 2, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--station", type=Path, required=True, help="its detector should name `threads: 1`, or two cores"
    )
    parser.add_argument("--limit", type=int, default=24, help="parts a run")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in _RUNS}
    logs: set[bytes] = set()
    for turn in range(given.rounds):
        for name in _RUNS:
            took, log = _played(name, given.folder, given.station, given.limit)
            seconds[name].append(took)
            logs.add(log)
            print(f"round {turn + 1}, {name}: {took:.1f} s, load {os.getloadavg()[0]:.1f}", flush=True)
    for name, took_each in seconds.items():
        rates = sorted(given.limit / took for took in took_each)
        print(f"{name}: {median(rates):.2f} parts/s ({rates[0]:.2f} to {rates[-1]:.2f})")
    ratios = sorted(one / two for one, two in zip(seconds["1 worker"], seconds["2 workers"], strict=True))
    print(f"2 workers beside 1, in one round: {median(ratios):.2f} times as fast ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    print("the logs are the same" if len(logs) == 1 else "THE LOGS DIFFER")
    return 0 if len(logs) == 1 else 1


def _played(name: str, folder: Path, station: Path, limit: int) -> tuple[float, bytes]:
    """Seconds and decision log of one run in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        words = [
            sys.executable,
            "-m",
            "benchmarks.spread",
            "--one",
            name,
            folder,
            station,
            limit,
            Path(scratch) / "out",
        ]
        subprocess.run([str(word) for word in words], check=True, stdout=subprocess.DEVNULL)
        output = Path(scratch) / "out"
        took = json.loads((output / "summary.json").read_text())["seconds"]
        return float(took), (output / "decisions.jsonl").read_bytes()


def _play(name: str, folder: str, station: str, limit: str, output: str) -> int:
    replay(Path(folder), Path(station), output=Path(output), limit=int(limit), progress=silent, ray=_RUNS[name])
    return 0


if __name__ == "__main__":
    sys.exit(_play(*sys.argv[2:]) if sys.argv[1:2] == ["--one"] else main())
