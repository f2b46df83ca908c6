"""A run in numbers: summary.json."""

from collections import Counter
from pathlib import Path

import msgspec

from linewatch.core.errors import StorageError
from linewatch.core.messages import Verdict
from linewatch.pictures.write import write_whole
from linewatch.records.decision_log import DecisionLine

SUMMARY = "summary.json"


class Summary(msgspec.Struct, frozen=True):
    """What a run came to.

    missing: parts between first and last seq without a line (the recorder is lossy by contract). failsafe: rejects in
    doubt, without a defect seen. classes: rejects for a defect, by the class that led to them. pictures: parts by what
    became of their pictures. log_lost: lines that a failing disk did not take. interrupted: the recorder was killed.
    """

    station: str
    run: str
    decided: int
    passed: int
    rejected: int
    failsafe: int
    first_seq: int
    last_seq: int
    missing: int
    causes: dict[str, int]
    classes: dict[str, int]
    pictures: dict[str, int]
    log_lost: int = 0
    interrupted: bool = False


class Tally:
    """Counts decisions as they come."""

    def __init__(self) -> None:
        self._verdicts: Counter[Verdict] = Counter()
        self._causes: Counter[str] = Counter()
        self._classes: Counter[str] = Counter()
        self._pictures: Counter[str] = Counter()
        self._failsafe = 0
        self._first = 0
        self._last = 0

    def add(self, line: DecisionLine) -> None:
        self._verdicts[line.verdict] += 1
        self._causes[line.cause.value] += 1
        self._pictures[line.picture] += 1
        self._failsafe += line.cause.is_failsafe
        if line.verdict is Verdict.REJECT and line.label and not line.cause.is_failsafe:
            self._classes[line.label] += 1
        self._first = min(self._first or line.seq, line.seq)
        self._last = max(self._last, line.seq)

    def summary(self, station: str, run: str, *, log_lost: int = 0, interrupted: bool = False) -> Summary:
        """The counts so far; causes and classes by falling count."""
        decided = self._verdicts.total()
        return Summary(
            station=station,
            run=run,
            decided=decided,
            passed=self._verdicts[Verdict.PASS],
            rejected=self._verdicts[Verdict.REJECT],
            failsafe=self._failsafe,
            first_seq=self._first,
            last_seq=self._last,
            missing=self._last - self._first + 1 - decided if decided else 0,
            causes=_by_count(self._causes),
            classes=_by_count(self._classes),
            pictures=_by_count(self._pictures),
            log_lost=log_lost,
            interrupted=interrupted,
        )


def write_summary(run_folder: Path, summary: Summary) -> None:
    """Write summary.json at once. Raises StorageError."""
    write_whole(run_folder / SUMMARY, msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")


def read_summary(run_folder: Path) -> Summary | None:
    """The summary in a run folder; none when the run was not closed. Raises StorageError when it is damaged."""
    path = run_folder / SUMMARY
    try:
        return msgspec.json.decode(path.read_bytes(), type=Summary)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise StorageError(path, f"is no summary: {exc}") from exc


def _by_count(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))
