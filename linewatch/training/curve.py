"""The validation curve as a picture."""

from pathlib import Path

import matplotlib

from linewatch.training.trainer import Progress

matplotlib.use("Agg")

from matplotlib import pyplot as plt


def draw_curve(progress: Progress, path: Path) -> None:
    """Loss and average precision over the steps, as PNG at `path`."""
    figure, left = plt.subplots(figsize=(8, 4.5), layout="constrained")
    left.plot(
        [p["step"] for p in progress.losses], [p["loss"] for p in progress.losses], color="0.6", lw=0.8, label="loss"
    )
    left.set(xlabel="step", ylabel="training loss", ylim=(0, None))
    right = left.twinx()
    steps = [p["step"] for p in progress.validations]
    right.plot(steps, [p["map50"] for p in progress.validations], "o-", label="mAP50")
    right.plot(steps, [p["map50_95"] for p in progress.validations], "s-", label="mAP50:95")
    right.set(ylabel="validation", ylim=(0, 1))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
