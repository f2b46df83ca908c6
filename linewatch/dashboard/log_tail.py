"""Reading what the recorder appends to decisions.jsonl, whole lines as they come; nothing is written."""

from pathlib import Path

import msgspec

from linewatch.records.decision_log import DECISIONS, DecisionLine

_MOST_BYTES = 1 << 20  # read at once

_decoder = msgspec.json.Decoder(DecisionLine)


class LogTail:
    """The log of one run. Lines that are no decision are passed over: `report` names them."""

    def __init__(self, run_folder: Path) -> None:
        self.folder = run_folder
        self._at = 0

    def read(self) -> list[DecisionLine]:
        """The next whole lines, about 1 MB at most; empty when there is nothing new or the file cannot be read."""
        try:
            with (self.folder / DECISIONS).open("rb") as file:
                file.seek(self._at)
                text = file.read(_MOST_BYTES)
        except OSError:
            return []
        whole = text.rfind(b"\n") + 1
        if not whole and len(text) == _MOST_BYTES:  # no line of ours is that long
            whole = len(text)
        self._at += whole
        return [line for part in text[:whole].splitlines() if (line := _decoded(part)) is not None]


def _decoded(text: bytes) -> DecisionLine | None:
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def logs_since(output: Path, since_s: float) -> list[Path]:
    """The run folders in `output` whose log was written after `since_s` of the wall clock, oldest first; at least the
    newest, which may go on.
    """
    try:
        found = sorted((log.stat().st_mtime, log.parent) for log in output.glob(f"*/{DECISIONS}"))
    except OSError:  # an output folder that cannot be read: the counts begin with what is heard
        return []
    return [folder for written_s, folder in found if written_s >= since_s] or [folder for _, folder in found[-1:]]
