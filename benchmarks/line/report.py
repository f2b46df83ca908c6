"""The figures as a table, a plot and JSON."""

import json
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from rich.table import Table

from benchmarks.line.load import Outcome, Times

matplotlib.use("Agg")

from matplotlib import pyplot as plt

COLUMNS = (
    "detector", "per min", "n", "p50", "p99", "p99.9", "max", "jitter", "x floor", "least slack", "CPU us",
    "lost/double/doubt",
)  # fmt: skip
QUANTILES = (50.0, 99.0, 99.9, 100.0)


def table(outcomes: Sequence[Outcome], floor: Outcome) -> Table:
    """One row a load. jitter: standard deviation. x floor: its median over the floor's of the same run.

    least slack: of all decisions before their deadline. CPU: of the controller, for each decision.
    """
    made = Table(title="trigger on the serial port to decision on the wire, ms")
    for name in COLUMNS:
        made.add_column(name, justify="left" if name == "detector" else "right", no_wrap=True)
    base = float(np.median(floor.latency_ms))
    for o in outcomes:
        made.add_row(
            o.name,
            str(o.per_min),
            str(len(o.latency_ms)),
            *(f"{value:.2f}" for value in np.percentile(o.latency_ms, QUANTILES)),
            f"{np.std(o.latency_ms):.2f}",
            f"{np.median(o.latency_ms) / base:.1f}",
            f"{o.slack_ms.min():.1f}" if o is not floor else "",
            f"{o.cpu_us:.0f}",
            f"{o.missing} / {o.double} / {o.failsafe}",
        )
    return made


def plot(outcomes: Sequence[Outcome], path: Path) -> None:
    """Share of decisions that took longer than x, both axes logarithmic, as PNG at `path`."""
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for o in outcomes:
        times = np.sort(o.latency_ms)
        beyond = 1 - np.arange(len(times)) / len(times)
        style = "--" if o.name == "floor" else "-"
        axes.step(times, beyond, style, label=f"{o.name}, {o.per_min}/min", where="post")
    axes.set(xscale="log", yscale="log", xlabel="trigger to decision on the wire, ms", ylabel="share that took longer")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def write_json(outcomes: Sequence[Outcome], late_ms: Times, path: Path) -> None:
    """The same figures for programs."""
    rows = [
        {
            "detector": o.name,
            "per_min": o.per_min,
            "decisions": len(o.latency_ms),
            "latency_ms": dict(zip(map(str, QUANTILES), np.percentile(o.latency_ms, QUANTILES).tolist(), strict=True)),
            "jitter_ms": float(np.std(o.latency_ms)),
            "slack_min_ms": float(o.slack_ms.min()),
            "cpu_us": o.cpu_us,
            "missing": o.missing,
            "double": o.double,
            "failsafe": o.failsafe,
        }
        for o in outcomes
    ]
    path.write_text(json.dumps({"loads": rows, "timeout_after_deadline_ms": late_ms.tolist()}, indent=1) + "\n")
