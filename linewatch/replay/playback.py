"""The loop of a replay: read, inspect, decide, record, one part after the other."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from linewatch.core.messages import Inspection, Record
from linewatch.inspection.inspector import Inspector
from linewatch.inspection.quality import Doubt
from linewatch.records.run_folder import RunFolder
from linewatch.replay.interrupt import Interrupt
from linewatch.replay.player import Player, RecordedPart, load_part
from linewatch.replay.progress import Report
from linewatch.replay.selection import Scheduled
from linewatch.replay.truth import Outcome

Pace: TypeAlias = Literal["fast", "recorded"]
_LOOK_S = 0.05  # how long an interrupt may go unseen while a recorded time is waited for


@dataclass(frozen=True)
class Playback:
    """What a replay consists of. grey: read the pictures with one channel."""

    inspector: Inspector
    player: Player
    run_folder: RunFolder
    grey: bool
    pace: Pace

    def play(self, parts: Sequence[Scheduled], interrupt: Interrupt, progress: Report) -> list[Outcome]:
        """Decide and record `parts`, until an interrupt; returns one outcome for each decided part."""
        outcomes: list[Outcome] = []
        for recorded, inspection in self._inspected(parts, interrupt):
            for record in self.player.play(recorded, inspection):
                picture = recorded.part.picture
                self.run_folder.record(record, None if isinstance(picture, Doubt) else picture)
                outcomes.append(_outcome(record))
            for note in self.player.notes():
                self.run_folder.note(note)
            progress(len(outcomes), len(parts))
        return outcomes

    def _inspected(self, parts: Sequence[Scheduled], interrupt: Interrupt) -> Iterator[tuple[RecordedPart, Inspection]]:
        """Each part with its inspection; in batches when there is no pace to keep, which changes no inspection."""
        size = 1 if self.pace == "recorded" else self.inspector.largest_batch
        started_ns = time.monotonic_ns()
        for first in range(0, len(parts), size):
            if self.pace == "recorded":
                _wait_until(started_ns + parts[first].t_trigger_ns - parts[0].t_trigger_ns, interrupt)
            if interrupt.signal is not None:
                return
            group = [
                load_part(part.entry, seq, part.t_trigger_ns, part.source, self.grey)
                for seq, part in enumerate(parts[first : first + size], start=first + 1)
            ]
            yield from zip(group, self.inspector.inspect([one.part for one in group]), strict=True)


def _outcome(record: Record) -> Outcome:
    decision = record.decision
    return Outcome(PurePosixPath(record.source).name, decision.verdict, decision.cause.is_failsafe)


def _wait_until(t_ns: int, interrupt: Interrupt) -> None:
    while interrupt.signal is None and (left_ns := t_ns - time.monotonic_ns()) > 0:
        time.sleep(min(left_ns / 1e9, _LOOK_S))
