"""`audit export`: a decision log, of either kind, as JSON lines or as a table."""

import contextlib
import csv
import io
from pathlib import Path

from linewatch.core.errors import StorageError
from linewatch.records.decision_log import DecisionLine, decoded, log_of, read_texts

_TABLE = ".csv"
_COLUMNS = ("seq", "time", "verdict", "cause", "reason", "class", "score", "classes", "counter", "source", "picture")


def export_log(run: Path, output: Path) -> int:
    """Write the log of a run into the new file `output`: a table when it ends with .csv, else the exact lines.

    Returns how many decisions it has. Raises StorageError; what was there, or half written, is then not left behind.
    """
    path = log_of(run)
    temporary = output.with_name(f"{output.name}.new")
    table, count = output.suffix == _TABLE, 0
    try:
        if output.exists():
            raise StorageError(output, "is there already: give another name")
        with temporary.open("wb") as file:
            file.write(_row(_COLUMNS) if table else b"")
            for number, text in read_texts(path):
                line = decoded(path, number, text)  # what is no decision is no log, and named
                file.write(_row(_values(line)) if table else text + b"\n")
                count += 1
        temporary.replace(output)
    except OSError as exc:
        raise StorageError(output, exc.strerror or "cannot be written") from exc
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return count


def _values(line: DecisionLine) -> tuple[object, ...]:
    """As the columns of the database's view `decisions` have them."""
    classes = dict.fromkeys(one.label for one in line.detections if one.effect in ("reject", "warn"))
    return (
        line.seq, line.times.wall, line.verdict, line.cause, line.reason, line.label, line.score, ",".join(classes),
        line.counter, line.source, line.picture,
    )  # fmt: skip


def _row(values: tuple[object, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode()
