"""The heat map of which expert serves which class."""

from pathlib import Path

import matplotlib
import numpy as np

from linewatch.dsmoe.experts import KINDS
from linewatch.training.routing_figures import RoutingFigures

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes


def draw_routing_map(figures: RoutingFigures, path: Path) -> None:
    """One panel a scale: rows are classes, columns experts, colour the mean gate; as PNG at `path`."""
    experts = len(figures.scales[0].load)
    figure, panels = plt.subplots(
        1, len(figures.scales), figsize=(2.2 + 0.55 * experts * len(figures.scales), 2.6 + 0.3 * len(figures.rows)),
        sharey=True, layout="constrained",
    )  # fmt: skip
    for panel, scale in zip(panels, figures.scales, strict=True):
        shown = np.array([[np.nan] * experts if row is None else row for row in scale.serves])
        image = panel.imshow(shown, cmap="viridis", vmin=0, vmax=1, aspect="auto")
        _write_numbers(panel, shown)
        panel.set_title(f"stride {scale.stride}: load CV {scale.load_cv:.2f}, entropy {scale.entropy:.2f}", fontsize=9)
        panel.set_xticks(range(experts), [f"{n} {KINDS[n % len(KINDS)]}" for n in range(experts)], rotation=60,
                         ha="right", fontsize=7)  # fmt: skip
    panels[0].set_yticks(range(len(figures.rows)), figures.rows, fontsize=8)
    figure.colorbar(image, ax=list(panels), label="mean gate")
    figure.suptitle(
        f"router {figures.router}, {figures.pictures} pictures: which expert serves which class", fontsize=10
    )
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _write_numbers(panel: Axes, shown: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> None:
    for (row, column), value in np.ndenumerate(shown):
        if value >= 0.005:
            colour = "black" if value > 0.6 else "white"
            panel.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=6, color=colour)
