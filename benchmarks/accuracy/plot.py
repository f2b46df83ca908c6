"""The comparison as pictures: accuracy per set with its spread, and which expert serves which class."""

import statistics
import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib

from benchmarks.accuracy.plan import Plan
from benchmarks.accuracy.results import Result

matplotlib.use("Agg")

from matplotlib import pyplot as plt

_LETTERS = 60  # of the title over one panel


def draw_accuracy(plan: Plan, results: Sequence[Result], path: Path) -> None:
    """One panel per set that has results: every seed a point, the mean a bar. PNG at `path`."""
    names = [chosen.name for chosen in plan.sets if any(result.set == chosen.name for result in results)]
    figure, axes = plt.subplots(
        1, len(names), figsize=(4.2 * len(names) + 1, 0.45 * len(plan.variants) + 2), layout="constrained",
        squeeze=False, sharey=True,
    )  # fmt: skip
    for axis, name in zip(axes[0], names, strict=True):
        for height, variant in enumerate(reversed(plan.variants)):
            values = [r.metrics.map50_95 or 0.0 for r in results if (r.set, r.variant) == (name, variant.name)]
            if values:
                axis.barh(height, statistics.fmean(values), color="tab:blue" if variant.family == "dsmoe" else "0.75")
                axis.plot(values, [height] * len(values), "k.", ms=5)
        axis.set(title=name, xlabel="mAP50:95, held out", yticks=range(len(plan.variants)))
        axis.set_yticklabels([variant.name for variant in reversed(plan.variants)])
    budget = f"{plan.schedule.steps} steps of {plan.schedule.batch}" + (", short budget" if plan.short else "")
    title = textwrap.fill(f"{plan.title} ({budget}; points are seeds)", _LETTERS * len(names))
    figure.suptitle(title, fontsize=10)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_routing(results: Sequence[Result], path: Path) -> bool:
    """Classes by experts, one panel per routed run. PNG at `path`; False when no run has a router."""
    runs = [result for result in results if result.routing is not None]
    if not runs:
        return False
    figure, axes = plt.subplots(len(runs), 1, figsize=(6, 2.2 * len(runs) + 0.6), layout="constrained", squeeze=False)
    for axis, run in zip(axes[:, 0], runs, strict=True):
        assert run.routing is not None
        shown = axis.imshow(run.routing.by_class, vmin=0, aspect="auto", cmap="viridis")
        axis.set(title=f"{run.set}, {run.variant}, seed {run.seed}", xlabel="expert", yticks=range(len(run.classes)))
        axis.set_yticklabels(run.classes)
        figure.colorbar(shown, ax=axis, label="mean gate")
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return True
