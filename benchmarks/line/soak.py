"""`make soak`: the line for as long as you say, with memory, open files and latency over time as a plot.

Fails when an answer is missing or double, when ever more files are open, or when the memory of all processes grows by
1% or more from the second to the last tenth of the run (the first tenth warms up).
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
import numpy as np
from rich.console import Console
from rich.progress import track

from benchmarks.line.load import drive
from benchmarks.line.rig import Rig, line

matplotlib.use("Agg")

from matplotlib import pyplot as plt

MAX_GROWTH = 0.01
SLICES = 60


@dataclass(frozen=True)
class Sample:
    """One slice of the run. memory_mb: of all processes, shared pages counted once. files: open descriptors of all."""

    minute: float
    memory_mb: float
    files: int
    p50_ms: float
    p99_ms: float
    missing: int
    double: int
    failsafe: int


def soak(rig: Rig, minutes: float, per_min: int) -> list[Sample]:
    """Drive the line in SLICES slices and look at its processes after each."""
    began_s, samples = time.monotonic(), []
    for _ in track(range(SLICES), description=f"{minutes:g} min at {per_min}/min"):
        seen = drive(rig, "null", per_min, minutes * 60 / SLICES)
        p50, p99 = np.percentile(seen.latency_ms, (50, 99))
        memory_mb, files = _use(rig.process.pid)
        minute = (time.monotonic() - began_s) / 60
        samples.append(Sample(minute, memory_mb, files, p50, p99, seen.missing, seen.double, seen.failsafe))
    return samples


def faults(samples: Sequence[Sample]) -> list[str]:
    """What is wrong with the run; empty when nothing is."""
    found = []
    lost, double = sum(s.missing for s in samples), sum(s.double for s in samples)
    if lost or double:
        found.append(f"{lost} answers missing, {double} double")
    if growth(samples) >= MAX_GROWTH:
        found.append(f"memory grew by {growth(samples):.2%}, {MAX_GROWTH:.0%} is the limit")
    tenth = len(samples) // 10
    if samples[-1].files > max(s.files for s in samples[tenth : 2 * tenth]) + 2:
        found.append(f"{samples[-1].files} files are open, {samples[tenth].files} were after a tenth of the run")
    return found


def growth(samples: Sequence[Sample]) -> float:
    """Memory in the last tenth over memory in the second tenth, less one."""
    tenth = len(samples) // 10
    memory = [s.memory_mb for s in samples]
    return float(np.mean(memory[-tenth:]) / np.mean(memory[tenth : 2 * tenth])) - 1


def plot(samples: Sequence[Sample], path: Path) -> None:
    """Memory, files and latency over the minutes, as PNG."""
    figure, (top, middle, bottom) = plt.subplots(3, figsize=(8, 6), sharex=True, layout="constrained")
    minutes = [s.minute for s in samples]
    top.plot(minutes, [s.memory_mb for s in samples])
    top.set(ylabel="memory, MB")
    middle.plot(minutes, [s.files for s in samples])
    middle.set(ylabel="open files")
    bottom.plot(minutes, [s.p50_ms for s in samples], label="p50")
    bottom.plot(minutes, [s.p99_ms for s in samples], label="p99")
    bottom.set(xlabel="minutes", ylabel="trigger to decision, ms")
    bottom.legend(frameon=False)
    for axes in (top, middle, bottom):
        axes.margins(y=0.15)
        axes.set_ylim(bottom=0)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _use(pid: int) -> tuple[float, int]:
    """Memory in MB and open files of the process and its children."""
    pids = [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    pss_kb = sum(int(Path(f"/proc/{one}/smaps_rollup").read_text().split("Pss:")[1].split()[0]) for one in pids)
    return pss_kb / 1024, sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in pids)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--per-min", type=int, default=600, help="triggers a minute")
    parser.add_argument("--output", type=Path, default=Path("runs/soak"), help="folder of plot and figures")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    console = Console(width=150)
    with tempfile.TemporaryDirectory(prefix="lw") as folder, line(Path(folder) / "soak", "10") as rig:
        samples = soak(rig, given.minutes, given.per_min)
    plot(samples, given.output / "soak.png")
    (given.output / "soak.json").write_text(json.dumps([asdict(s) for s in samples], indent=1) + "\n")
    wrong, doubt = faults(samples), sum(s.failsafe for s in samples)
    console.print(
        f"{given.minutes:g} min at {given.per_min}/min: "
        f"memory {samples[-1].memory_mb:.0f} MB ({growth(samples):+.2%}), {samples[-1].files} files, "
        f"{doubt} rejects in doubt; {'; '.join(wrong) or 'none missing, none double'}; plot: {given.output}/soak.png"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
