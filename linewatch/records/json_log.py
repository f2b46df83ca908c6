"""Writing a replay's decision log: decisions.jsonl, each line handed to the disk as it comes."""

from collections.abc import Sequence
from pathlib import Path

from linewatch.core.jsonlines import LineFile
from linewatch.core.messages import Note
from linewatch.records.decision_log import DECISIONS, DecisionLine


class JsonLog:
    """One run's log. batch, remark: as those of ChainedLog."""

    batch = 1

    def __init__(self, run_folder: Path) -> None:
        """Opens, continues or creates the log in `run_folder`, without a torn last line. Raises StorageError."""
        self._file = LineFile(run_folder / DECISIONS)
        torn = self._file.repaired
        self.remark = Note("log_repaired", f"a torn last line of {torn} bytes was cut off") if torn else None

    def append(self, lines: Sequence[DecisionLine]) -> None:
        """Add `lines`. Raises StorageError; a line that was not taken is not there."""
        for line in lines:
            self._file.append(line)

    def sync(self) -> None:
        """Bring what was appended onto the disk. Raises StorageError."""
        self._file.sync()

    def close(self) -> None:
        self._file.close()
