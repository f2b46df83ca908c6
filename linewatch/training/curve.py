"""The curves of a training run as pictures."""

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


def draw_mixture_curve(history: list[dict[str, float]], steps_before: int, path: Path) -> None:
    """Negative log likelihood and reconstruction of crops not yet learnt from, over the mixture's steps, as PNG.

    steps_before: how many steps were taken before the task began.
    """
    figure, left = plt.subplots(figsize=(8, 4.5), layout="constrained")
    placed = [found for found in history if "nll" in found]
    steps, likelihood = [p["step"] for p in placed], [p["nll"] for p in placed]
    left.plot(steps, likelihood, color="C0", lw=0.6, alpha=0.4)
    means = [sum(part) / len(part) for part in (likelihood[max(0, n - 9) : n + 1] for n in range(len(likelihood)))]
    left.plot(steps, means, color="C0", lw=1.5, label="negative log likelihood, mean of 10")
    left.set(xlabel="mixture step", ylabel="negative log likelihood, nats a picture")
    right = left.twinx()
    errors = [p["reconstruction"] for p in history]
    right.plot([p["step"] for p in history], errors, color="0.6", lw=0.8, label="reconstruction")
    right.set(ylabel="reconstruction error, share of variance", ylim=(0, None))
    if history and history[-1]["step"] > steps_before:
        left.axvline(steps_before, color="0.3", ls=":", lw=1, label="the task begins")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
