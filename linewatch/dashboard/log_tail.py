"""Reading what the recorder appends to decisions.jsonl, whole lines as they come; nothing is written."""

from pathlib import Path

import msgspec

from linewatch.records.decision_log import DECISIONS, DecisionLine

_MOST_BYTES = 1 << 20  # read at once

_decoder = msgspec.json.Decoder(DecisionLine)


class LogTail:
    """The log of one run. damaged: lines that were no decision. found: whether the file was there at the last look."""

    def __init__(self, run_folder: Path) -> None:
        self.folder = run_folder
        self.damaged = 0
        self.found = False
        self._at = 0

    def read(self) -> list[DecisionLine]:
        """The next whole lines, about 1 MB at most; empty when there is nothing new or the file cannot be read."""
        try:
            with (self.folder / DECISIONS).open("rb") as file:
                file.seek(self._at)
                text = file.read(_MOST_BYTES)
        except OSError:
            self.found = False
            return []
        self.found = True
        whole = text.rfind(b"\n") + 1
        if not whole and len(text) == _MOST_BYTES:  # no line of ours is that long
            whole = len(text)
        self._at += whole
        return [line for part in text[:whole].splitlines() if (line := self._decoded(part)) is not None]

    def _decoded(self, text: bytes) -> DecisionLine | None:
        try:
            return _decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            self.damaged += 1
            return None


def logs_since(output: Path, since_s: float) -> list[Path]:
    """The run folders in `output` whose log was written after `since_s` of the wall clock, oldest first."""
    found = []
    try:
        for log in output.glob(f"*/{DECISIONS}"):
            written_s = log.stat().st_mtime
            if written_s >= since_s:
                found.append((written_s, log.parent))
    except OSError:  # an output folder that cannot be read: the counts begin with what is heard
        return []
    return [folder for _, folder in sorted(found)]
