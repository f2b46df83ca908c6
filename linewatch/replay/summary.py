"""A replay in numbers: the summary of a run, with what only a replay can know."""

import signal
from pathlib import Path

import msgspec

from linewatch.pictures.write import write_whole
from linewatch.records.summary import SUMMARY, Summary
from linewatch.replay.truth import Comparison


class ReplaySummary(Summary, frozen=True, kw_only=True):
    """summary.json of a replay.

    complete: false when not all parts were played; stopped_by names the signal that came. recording, model: what was
    played through what. planned: parts that were selected. parts_per_s: speed of this machine. truth: false rejects
    and escapes; None without a truth file.
    """

    complete: bool
    stopped_by: str
    recording: str
    model: str
    planned: int
    seconds: float
    parts_per_s: float
    truth: Comparison | None
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0, or 128 + the signal that interrupted: 130 after Ctrl-C, 143 after SIGTERM."""
        return 128 + signal.Signals[self.stopped_by] if self.stopped_by else 0

    def write(self, run_folder: Path) -> None:
        """Write summary.json at once. Raises StorageError."""
        write_whole(run_folder / SUMMARY, msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")
