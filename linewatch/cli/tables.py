"""Results as tables on a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from linewatch.labels.importing import Corrections
    from linewatch.shadow.report import Agreement
    from linewatch.training.evaluation import Metrics


def metrics_table(metrics: "Metrics") -> Table:
    """One row for each class, and one for all of them."""
    title = f"{metrics.images} pictures, {metrics.boxes} boxes; precision and recall at {metrics.threshold:g}"
    table = _table(("class", "AP50", "AP50:95", "precision", "recall"), title)
    for name, found in metrics.per_class.items():
        table.add_row(name, *map(_share, (found.ap50, found.ap50_95, found.precision, found.recall)))
    table.add_section()
    table.add_row("all", *map(_share, (metrics.map50, metrics.map50_95, metrics.precision, metrics.recall)))
    return table


def agreement_table(found: "Agreement") -> Table:
    """The line's judgements as rows, the shadow's as columns."""
    unseen = max(0, found.decided - found.seen)  # the line's log may be behind
    title = f"{found.seen} of {found.decided} parts seen by the shadow; {unseen} not: " + ", ".join(
        f"{name} {count}" for name, count in (("busy", found.busy), ("not there", found.absent), ("gone", found.gone))
    )
    sides = tuple(found.cells)
    table = _table(("the line", *(f"shadow {side}" for side in sides)), title)
    for side, row in found.cells.items():
        table.add_row(side, *(str(row[other]) for other in sides))
    return table


def corrections_table(found: "Corrections") -> Table:
    """What a person made of the exported boxes, one row for each class and one for all of them."""
    title = f"{found.changed_pictures} of {found.pictures} pictures changed ({found.exported} were exported)"
    table = _table(("class", "exported", "kept", "moved", "renamed", "removed", "added", "right"), title)
    for name, one in (*found.classes.items(), ("all", found.total)):
        if one is found.total:
            table.add_section()
        counts = (one.exported, one.kept, one.moved, one.renamed, one.removed, one.added)
        table.add_row(name, *map(str, counts), _share(one.right))
    return table


def models_table(rows: Sequence[tuple[str, ...]]) -> Table:
    """rows: name, classes, input, size, weights."""
    table = _table(("model", "classes", "input px", "MB", "sha256"), None)
    for row in rows:
        table.add_row(*row)
    return table


def _table(columns: Sequence[str], title: str | None) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
