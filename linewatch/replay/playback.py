"""The loop of a replay: inspected parts in their order, decided and recorded one after the other."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from linewatch.core.messages import Record
from linewatch.records.run_folder import RunFolder
from linewatch.replay.inspecting import GoesOn, Inspecting
from linewatch.replay.interrupt import Interrupt
from linewatch.replay.player import Player
from linewatch.replay.progress import Report
from linewatch.replay.selection import Scheduled
from linewatch.replay.truth import Outcome

Pace: TypeAlias = Literal["fast", "recorded"]
_LOOK_S = 0.05  # how long an interrupt may go unseen while a recorded time is waited for


@dataclass(frozen=True)
class Playback:
    """What a replay consists of."""

    inspecting: Inspecting
    player: Player
    run_folder: RunFolder
    pace: Pace

    def play(self, parts: Sequence[Scheduled], interrupt: Interrupt, progress: Report) -> list[Outcome]:
        """Decide and record `parts`, until an interrupt; returns one outcome for each decided part."""
        outcomes: list[Outcome] = []
        for inspected in self.inspecting.inspected(parts, self._going_on(parts[0], interrupt)):
            for record in self.player.play(inspected):
                self.run_folder.record(record, inspected.picture, inspected.missing)
                outcomes.append(_outcome(record))
            for note in self.player.notes():
                self.run_folder.note(note)
            progress(len(outcomes), len(parts))
        return outcomes

    def _going_on(self, first: Scheduled, interrupt: Interrupt) -> GoesOn:
        """Until an interrupt, and not before a part's recorded time where there is a pace to keep."""
        started_ns = time.monotonic_ns()

        def goes_on(part: Scheduled) -> bool:
            if self.pace == "recorded":
                _wait_until(started_ns + part.t_trigger_ns - first.t_trigger_ns, interrupt)
            return interrupt.signal is None

        return goes_on


def _outcome(record: Record) -> Outcome:
    decision = record.decision
    return Outcome(PurePosixPath(record.source).name, decision.verdict, decision.cause.is_failsafe)


def _wait_until(t_ns: int, interrupt: Interrupt) -> None:
    while interrupt.signal is None and (left_ns := t_ns - time.monotonic_ns()) > 0:
        time.sleep(min(left_ns / 1e9, _LOOK_S))
