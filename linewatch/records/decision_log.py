"""The decision log: decisions.jsonl in a run folder, one decision a line, append-only.

Lines lie in the order in which the parts were decided, each seq once. Everything that depends on the clock lies under
the key `times`, so that the rest of two logs can be compared line by line.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from linewatch.core.errors import StorageError
from linewatch.core.jsonlines import read_lines
from linewatch.core.messages import Cause, Detection, Record, Verdict

DECISIONS = "decisions.jsonl"

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
    """One line of decisions.jsonl. crops, frame: files relative to the run folder."""

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


def read_decisions(run_folder: Path) -> Iterator[DecisionLine]:
    """The decisions of a run, in the order of the file, without a torn last line.

    Pictures that were removed since to stay within the budget are left out of `crops` and `frame`.
    Raises StorageError that names file and line.
    """
    path = run_folder / DECISIONS
    for number, text in read_lines(path):
        try:
            line = msgspec.json.decode(text, type=DecisionLine)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise StorageError(f"{path}: line {number}", f"is no decision: {exc}") from exc
        yield _with_existing_pictures(line, run_folder)


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
