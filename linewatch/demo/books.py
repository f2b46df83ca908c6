"""Where the three books are read from: the wire, the rejecter's log, the decision log on the disk."""

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from linewatch.core.jsonlines import read_lines
from linewatch.core.messages import Cause, Verdict
from linewatch.core.wire import WireDecision
from linewatch.demo.accounting import Book, Entry
from linewatch.records.decision_log import DecisionLine, has_log, read_decisions

_BLOWN_TOO_LATE = "missed"


@dataclass(frozen=True)
class Witnesses:
    """What is left of a run. fired: the gate's counters, in order. acts: what the rejecter did with each part.

    doubts: how often the rejecter lost trust in the line and rejected everything for a while. wire: decisions as an
    observer heard them. log: as they lie on the disk, in `run_folder`, which is none when there was nothing to write.
    """

    fired: tuple[int, ...]
    wire: tuple[WireDecision, ...]
    acts: tuple[tuple[str, Entry], ...]
    doubts: int
    log: tuple[DecisionLine, ...]
    run_folder: Path | None

    @property
    def books(self) -> tuple[Book, ...]:
        """The wire's first: it tells the outcome."""
        return (
            Book("wire", tuple(Entry(one.seq, one.verdict, one.cause) for one in self.wire)),
            Book("rejecter", tuple(entry for _, entry in self.acts)),
            Book("decision log", tuple(Entry(one.seq, one.verdict, one.cause, one.counter) for one in self.log)),
        )

    @property
    def blown_late(self) -> int:
        """Rejected parts that had passed the rejecter when it blew."""
        return sum(act == _BLOWN_TOO_LATE for act, _ in self.acts)


def read_witnesses(fired: Sequence[int], wire: Iterable[WireDecision], acts: Path, run_folder: Path) -> Witnesses:
    """acts: the rejecter's log. run_folder: not there when nothing was decided.

    Raises StorageError for a damaged log.
    """
    written = has_log(run_folder)
    log = tuple(read_decisions(run_folder)) if written else ()
    return Witnesses(
        tuple(fired), tuple(wire), read_acts(acts), read_doubts(acts), log, run_folder if written else None
    )


def read_acts(path: Path) -> tuple[tuple[str, Entry], ...]:
    """What the rejecter did with each part so far. Raises StorageError when the log cannot be read."""
    lines = [json.loads(text) for _, text in read_lines(path)]
    return tuple(
        (str(line["act"]), Entry(int(line["seq"]), Verdict(line["verdict"]), Cause(line["cause"])))
        for line in lines
        if "seq" in line
    )


def read_doubts(path: Path) -> int:
    """How often the rejecter doubted and trusted again: the end of the line is no doubt. Errors as `read_acts`."""
    acts = [str(json.loads(text)["act"]) for _, text in read_lines(path)]
    if "normal" not in acts:
        return 0
    return acts[acts.index("normal") : len(acts) - acts[::-1].index("normal")].count("reject_all")


def trusts(path: Path) -> bool:
    """Whether the rejecter has said that it trusts the line's decisions."""
    with contextlib.suppress(FileNotFoundError):
        return b'"normal"' in path.read_bytes()
    return False
