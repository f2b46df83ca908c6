"""The target on paper, in true scale."""

import math
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image

from linewatch.calibrating.target import Target
from linewatch.core.errors import StorageError, UsageError

matplotlib.use("Agg")

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

PAPER_MM = {"a5": (148.0, 210.0), "a4": (210.0, 297.0), "a3": (297.0, 420.0), "letter": (215.9, 279.4)}
FORMATS = (".pdf", ".png")
_DPI = 600
_EDGE_MM = 8.0  # what printers leave white
_FOOT_MM = 14.0  # for ruler and words
_MM_PER_INCH = 25.4


def print_target(target: Target, path: Path, paper: str) -> None:
    """Write `target` as PDF or PNG (600 dpi), in the middle of a page, with a ruler to measure after printing.

    Raises UsageError when the page is too small or the format another, StorageError.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError("--output", f"must end in {' or '.join(FORMATS)}", str(path))
    width, height = _page(target, paper)
    figure = Figure(figsize=(width / _MM_PER_INCH, height / _MM_PER_INCH))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    left = (width - target.columns * target.square_mm) / 2
    top = (height - _FOOT_MM - target.rows * target.square_mm) / 2
    side = target.square_mm
    cells = [Rectangle((left + x * side, top + y * side), side, side) for x, y in target.black_squares()]
    cells += [Rectangle((left + x, top + y), side, side) for x, y, side in target.marker_cells()]
    axes.add_collection(PatchCollection(cells, facecolor="black", edgecolor="none", antialiased=path.suffix != ".pdf"))
    ruler_mm = next(length for length in (100, 50, 20, 10) if length <= width - 2 * _EDGE_MM)
    foot = height - _EDGE_MM
    axes.add_patch(Rectangle((_EDGE_MM, foot - 1), ruler_mm, 1, facecolor="black", edgecolor="none"))
    words = f"{ruler_mm} mm: print at 100 %, then measure. linewatch target: {target}"
    axes.text(_EDGE_MM, foot - 2.5, words, fontsize=6, va="bottom")
    try:
        _save(figure, path)
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be written") from exc


def _save(figure: Figure, path: Path) -> None:
    if path.suffix.lower() == ".pdf":
        figure.savefig(path, metadata={"CreationDate": None})
        return
    figure.set_dpi(_DPI)
    canvas: Any = FigureCanvasAgg(figure)  # matplotlib leaves it untyped
    canvas.draw()
    Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, 0]).save(path, dpi=(_DPI, _DPI))


def _page(target: Target, paper: str) -> tuple[float, float]:
    """Width and height in mm of the page, turned so that the target fits. Raises UsageError."""
    across, down = target.columns * target.square_mm, target.rows * target.square_mm
    short, long = PAPER_MM[paper]
    for width, height in ((short, long), (long, short)):
        if across <= width - 2 * _EDGE_MM and down <= height - 2 * _EDGE_MM - _FOOT_MM:
            return width, height
    room = math.floor(min((long - 2 * _EDGE_MM) / target.columns, (short - 2 * _EDGE_MM - _FOOT_MM) / target.rows))
    raise UsageError("--paper", f"the target is {across:g} x {down:g} mm: squares of {max(room, 1)} mm fit", paper)
