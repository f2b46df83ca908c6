"""`make bench-line`: trigger to decision, beside a bare poll loop that answers the same serial port.

Real are the pty, the controller, the camera process (a recorded folder), the frame ring, the inspector process, the
recorder and ZeroMQ. The null detector takes 0 ms or 10 ms a batch, so that its rows are the line's own time; the rows
`DS-MoE` have the trained network, at a pace that a CPU holds and at those of the null detector, where a machine that is
too slow rejects in doubt and says how many.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.line.load import Outcome, Times, drive, overdue_ms
from benchmarks.line.report import plot, table, write_json
from benchmarks.line.rig import floor, line

PACES = (600, 1200, 6000)
SLOW = {"line": {"deadline_ms": 2000, "max_capture_ms": 500}, "rejecter": {"transport_ms": 2500}}


def measure(folder: Path, seconds: float, model_per_min: int, console: Console) -> tuple[list[Outcome], Times]:
    """All loads one after another, the floor first."""
    outcomes: list[Outcome] = []

    def take(outcome: Outcome) -> None:
        outcomes.append(outcome)
        console.print(f"{outcome.name}, {outcome.per_min}/min: p50 {np.median(outcome.latency_ms):.2f} ms")

    with floor(folder / "floor") as rig:
        take(drive(rig, "floor", 1200, seconds))
    with line(folder / "null", "0") as rig:
        for pace in PACES:
            take(drive(rig, "null", pace, seconds))
        late_ms = overdue_ms(rig, 8)
    with line(folder / "busy", "10") as rig:
        for pace in PACES[:2]:
            take(drive(rig, "null, 10 ms", pace, seconds))
    if model_per_min:
        with line(folder / "model", "model", **SLOW) as rig:
            for pace in dict.fromkeys((model_per_min, *PACES)):
                take(drive(rig, "DS-MoE", pace, seconds))
    return outcomes, late_ms


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-line", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="of every load")
    parser.add_argument("--model-per-min", type=int, default=120, help="pace with the trained network; 0 leaves it out")
    parser.add_argument("--output", type=Path, default=Path("runs/bench-line"), help="folder of plot and JSON")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    console = Console(width=150)
    with tempfile.TemporaryDirectory(prefix="lw") as folder:  # short: a socket's path has 107 bytes
        outcomes, late_ms = measure(Path(folder), given.seconds, given.model_per_min, console)
    console.print(table(outcomes, outcomes[0]))
    console.print(f"inspector stopped: {len(late_ms)} timeouts, decided {np.median(late_ms):.2f} ms (median), "
                  f"{late_ms.max():.2f} ms (most) after their deadline")  # fmt: skip
    plot(outcomes, given.output / "latency.png")
    write_json(outcomes, late_ms, given.output / "latency.json")
    console.print(f"plot and figures: {given.output}/latency.png, {given.output}/latency.json")


if __name__ == "__main__":
    main()
