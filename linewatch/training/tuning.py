"""`linewatch tune`: acceptance criteria proposed from annotated pictures of good and bad parts."""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import torch

from linewatch.dsmoe.weights import load_model
from linewatch.training.criteria import ClassScores, Criteria, Limit, class_scores, frontier, propose
from linewatch.training.evaluating import predictions
from linewatch.training.importing import load_annotations
from linewatch.training.part_level import curve
from linewatch.training.whole_file import make_folder, write_whole

matplotlib.use("Agg")

from matplotlib import pyplot as plt

PLOT = "tune.png"
CRITERIA = "acceptance.yaml"


def tune(
    model: Path, annotations: Path, images: Path | None, output: Path, *, most: float, of: Limit = "escapes",
    device: str = "auto", tick: Callable[[], None] = lambda: None,
) -> Criteria:  # fmt: skip
    """Propose criteria for the model in folder `model`, and write them and their plot into the folder `output`.

    most: largest share of bad parts that may pass, or of good ones that may be rejected, as `of` says.
    Raises ModelError, DatasetError, StorageError.
    """
    target = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    loaded = load_model(model, target)
    card = loaded.card
    truth = load_annotations(annotations, images, classes=card.classes)
    found = predictions(loaded.network, truth, card.input_size, tick, precision=card.precision)
    scores = class_scores(truth, found)
    proposed = propose(scores, most, of)
    make_folder(output)
    write_whole(output / CRITERIA, station_text(proposed, card.classes, annotations).encode())
    draw(scores, proposed, output / PLOT)
    return proposed


def station_text(proposed: Criteria, classes: tuple[str, ...], source: Path) -> str:
    """The section `acceptance` of a station file."""
    said = (
        f"# linewatch tune, on {source.name}: {proposed.escapes.count} of {proposed.escapes.total} bad parts passed, "
        f"{proposed.false_rejects.count} of {proposed.false_rejects.total} good ones rejected.\n"
        "# Chosen on these parts, so measure them on others before the line relies on them.\n"
    )
    rows = [
        f"  - {{class: {name}, min_score: {score}}}\n" for name, score in zip(classes, proposed.scores, strict=True)
    ]
    return said + "acceptance:\n" + "".join(rows)


def draw(scores: ClassScores, proposed: Criteria, path: Path) -> None:
    """Escapes against false rejects: one score for all classes, and a score for each. PNG at `path`."""
    figure, axis = plt.subplots(figsize=(7, 4.5), layout="constrained")
    single = curve(scores.good.max(1).tolist(), scores.bad.max(1).tolist())
    for points, label, style in (
        ([(p.false_rejects, p.escapes) for p in single], "one score for all classes", "0.6"),
        ([(c.false_rejects, c.escapes) for c in frontier(scores)], "a score for each class", "tab:blue"),
    ):
        axis.step([100 * r.share for r, _ in points], [100 * e.share for _, e in points], color=style, label=label)
    axis.plot(100 * proposed.false_rejects.share, 100 * proposed.escapes.share, "o", color="tab:red", label="proposed")
    axis.set(xlabel="good parts rejected, %", ylabel="bad parts passed, %", xlim=(0, None), ylim=(0, None))
    axis.grid(alpha=0.3)
    axis.legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
