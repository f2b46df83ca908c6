"""The decision log: one decision a line of JSON, append-only; decisions.sqlite of a line, decisions.jsonl of a replay.

Lines lie in the order in which the parts were decided, each seq once. Everything that depends on the clock lies under
the key `times`, so that the rest of two logs can be compared line by line. Whoever reads a log does it here, whichever
of the two it is.
"""

import errno
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import msgspec

from linewatch.core.errors import StorageError
from linewatch.core.jsonlines import read_lines
from linewatch.core.messages import Cause, Detection, Note, Record, Verdict
from linewatch.records.chain import DATABASE
from linewatch.records.database import is_database, read_rows

DECISIONS = "decisions.jsonl"
_NOTHING = os.strerror(errno.ENOENT)

PictureState: TypeAlias = Literal["kept", "unwanted", "absent", "gone", "dropped", "refused", "removed"]
"""What became of a part's pictures.

kept: written. unwanted: the station keeps none of such a part. absent: the camera gave none. gone: the frame ring was
overwritten before it was read. dropped: the recorder could not keep up. refused: no room, or the disk failed. removed:
written, and later removed to stay within the budget (said by the reader; the line itself says kept).
"""


class LoggedDetection(msgspec.Struct, frozen=True, rename={"label": "class"}):
    """One detection; box in pixels of the rectified picture. effect: reject, warn or ignore."""

    label: str
    score: float
    x: float
    y: float
    width: float
    height: float
    effect: str


class Times(msgspec.Struct, frozen=True):
    """Nanoseconds of the monotonic clock. wall: ISO 8601 in UTC, for people.

    t_exposed_ns, t_inspected_ns: 0 when it never came to that. batch: parts inspected together, which load decides.
    """

    t_trigger_ns: int
    t_decision_ns: int
    deadline_ns: int
    wall: str = ""
    t_exposed_ns: int = 0
    t_inspected_ns: int = 0
    batch: int = 0


class DecisionLine(msgspec.Struct, frozen=True, rename={"label": "class"}):
    """One line of a decision log. crops, frame: files relative to the run folder."""

    seq: int
    source: str
    verdict: Verdict
    cause: Cause
    reason: str
    score: float
    label: str
    counter: int
    detections: tuple[LoggedDetection, ...]
    crops: tuple[str, ...]
    frame: str | None
    picture: PictureState
    times: Times


def line_of(record: Record, crops: tuple[str, ...], frame: str | None, picture: PictureState) -> DecisionLine:
    """The log's line for `record`, with the files that were written for it."""
    decision = record.decision
    return DecisionLine(
        seq=decision.seq,
        source=record.source,
        verdict=decision.verdict,
        cause=decision.cause,
        reason=decision.reason,
        score=_finite(decision.score),
        label=decision.label,
        counter=decision.counter,
        detections=tuple(_logged(found) for found in record.detections if is_finite(found)),
        crops=crops,
        frame=frame,
        picture=picture,
        times=Times(
            decision.t_trigger_ns,
            decision.t_decision_ns,
            decision.deadline_ns,
            record.wall,
            record.t_exposed_ns,
            record.t_inspected_ns,
            record.batch,
        ),
    )


class DecisionLog(Protocol):
    """The writing end: JsonLog or ChainedLog, where its parts are explained."""

    batch: int
    remark: Note | None

    def append(self, lines: Sequence[DecisionLine]) -> None: ...
    def sync(self) -> None: ...
    def close(self) -> None: ...


def read_decisions(run: Path) -> Iterator[DecisionLine]:
    """The decisions of a run, in the order of the log, without a torn last line. run: its folder, or the log itself.

    Pictures that were removed since to stay within the budget are left out of `crops` and `frame`.
    Raises StorageError that names file and line.
    """
    path = log_of(run)
    for number, text in read_texts(path):
        yield _with_existing_pictures(decoded(path, number, text), path.parent)


def read_texts(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number, from 1, and text of each line of the log at `path`, whichever kind it is. Raises StorageError."""
    if is_database(path):
        yield from read_rows(path)
    else:
        yield from ((number, text.rstrip(b"\n")) for number, text in read_lines(path))


def decoded(path: Path, number: int, text: bytes) -> DecisionLine:
    """What line `number` of the log at `path` says. Raises StorageError that names them."""
    try:
        return msgspec.json.decode(text, type=DecisionLine)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        where = f"{path}: {'row' if is_database(path) else 'line'} {number}"
        raise StorageError(where, f"is no decision: {exc}") from exc


def log_of(run: Path) -> Path:
    """The decision log of a run folder; a file is taken as a log itself. Raises StorageError when there is none."""
    try:
        for path in (run, run / DATABASE, run / DECISIONS):
            if path.is_file():
                return path
        reason = f"holds no decision log (neither {DATABASE} nor {DECISIONS})" if run.is_dir() else _NOTHING
    except OSError as exc:
        raise StorageError(run, exc.strerror or "cannot be read") from exc
    raise StorageError(run, reason)


def has_log(run_folder: Path) -> bool:
    """Whether something was logged there; a run without decisions has no folder at all."""
    return any((run_folder / name).is_file() for name in (DATABASE, DECISIONS))


def logs_in(output: Path) -> list[tuple[float, Path]]:
    """When it was last written to, in seconds of the wall clock, and path of each run folder in `output`, oldest first.

    Raises OSError when `output` cannot be read.
    """
    written: dict[Path, float] = {}
    for name in (DATABASE, f"{DATABASE}-wal", DECISIONS):
        for file in output.glob(f"*/{name}"):
            written[file.parent] = max(file.stat().st_mtime, written.get(file.parent, 0.0))
    return sorted((at, folder) for folder, at in written.items())


def is_finite(found: Detection) -> bool:
    """False for a box or score that is no number: JSON has none, and the cause non_finite says it already."""
    return all(math.isfinite(value) for value in (found.score, found.x, found.y, found.width, found.height))


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0


def _logged(found: Detection) -> LoggedDetection:
    return LoggedDetection(found.label, found.score, found.x, found.y, found.width, found.height, found.effect)


def _with_existing_pictures(line: DecisionLine, folder: Path) -> DecisionLine:
    if not line.crops and line.frame is None:
        return line
    crops = tuple(name for name in line.crops if (folder / name).is_file())
    frame = line.frame if line.frame is not None and (folder / line.frame).is_file() else None
    if crops == line.crops and frame == line.frame:
        return line
    picture: PictureState = "kept" if crops or frame else "removed"
    return msgspec.structs.replace(line, crops=crops, frame=frame, picture=picture)
