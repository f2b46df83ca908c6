"""shadow.jsonl in a run folder: what the shadow would have said, beside what the line said.

A `start` line for each time its process was started, a `part` line for each part that it was shown.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec

from linewatch.core.errors import StorageError
from linewatch.core.jsonlines import read_lines
from linewatch.core.messages import Cause, Verdict
from linewatch.records.decision_log import LoggedDetection

SHADOW_LOG = "shadow.jsonl"
SHADOW_PICTURES = "shadow"


class Started(msgspec.Struct, frozen=True, tag="start", tag_field="kind"):
    """model: name and digest. wall: ISO 8601 in UTC."""

    model: str
    wall: str


class ShadowLine(msgspec.Struct, frozen=True, tag="part", tag_field="kind"):
    """One part. verdict, cause: the shadow's; none when its frame was overwritten before it was read (`reason`).

    line_verdict, line_cause: the line's. picture: kept where both judged and differ, relative to the run folder.
    busy, absent: parts of this run until then that it was not shown, because it was busy or not there.
    """

    seq: int
    verdict: Verdict | None
    cause: Cause | None
    reason: str
    detections: tuple[LoggedDetection, ...]
    line_verdict: Verdict
    line_cause: Cause
    picture: str | None
    busy: int
    absent: int

    @property
    def both_judged(self) -> bool:
        """Whether there are two judgements to compare: neither of the two was in doubt."""
        return self.cause is not None and not self.cause.is_failsafe and not self.line_cause.is_failsafe


_Line: TypeAlias = Started | ShadowLine


@dataclass(frozen=True)
class ShadowLog:
    """models: that looked at this run, in their order. lines: by seq."""

    models: tuple[str, ...]
    lines: dict[int, ShadowLine]


def read_shadow_log(run: Path) -> ShadowLog:
    """The shadow's log of the run folder `run`. Raises StorageError when there is none, or it is damaged."""
    path = run / SHADOW_LOG
    models: dict[str, None] = {}
    lines: dict[int, ShadowLine] = {}
    if not path.exists():
        raise StorageError(path, "no shadow has looked at this run: `shadow` in the station file names one")
    for number, text in read_lines(path):
        try:
            line = msgspec.json.decode(text, type=_Line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise StorageError(f"{path}: line {number}", f"is none of a shadow's log: {exc}") from exc
        if isinstance(line, Started):
            models[line.model] = None
        else:
            lines[line.seq] = line
    return ShadowLog(tuple(models), lines)
