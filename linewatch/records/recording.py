"""Writing a recording: every trigger with its frame as the sensor gave it. The format is in `pictures.recording`."""

from pathlib import Path

import msgspec

from linewatch.core.errors import StorageError
from linewatch.core.jsonlines import LineFile, read_lines
from linewatch.core.messages import Note, Record
from linewatch.pictures.recording import (
    FRAMES,
    STATION,
    TRIGGERS,
    Entry,
    Recording,
    TriggerLine,
    frame_file,
    open_recording,
)
from linewatch.pictures.types import Picture
from linewatch.pictures.write import encode_png, write_whole
from linewatch.records.decision_log import PictureState
from linewatch.records.storage import free_bytes

__all__ = ["Entry", "Recording", "RecordingWriter", "check_new_recording", "open_recording"]


def check_new_recording(folder: Path) -> None:
    """Raises StorageError when `folder` holds a recording already: two runs in one would mix their numbers."""
    if (folder / TRIGGERS).exists():
        raise StorageError(folder, "holds a recording already: give a new folder")


class RecordingWriter:
    """Keeps every trigger; a frame that could not be kept is told in its line, with the reason."""

    def __init__(self, folder: Path, station: Path, floor_bytes: int = 0) -> None:
        """Opens or, after a recorder that was killed, continues the recording in `folder`.

        station: the station file to keep beside it. floor_bytes: free space that is never touched.
        Raises StorageError when the folder cannot be written.
        """
        self._folder = folder
        self._floor = floor_bytes
        try:
            (folder / FRAMES).mkdir(parents=True, exist_ok=True)
            text = station.read_bytes()
        except OSError as exc:
            raise StorageError(exc.filename or folder, exc.strerror or "cannot be written") from exc
        write_whole(folder / STATION, text)
        self._lines = LineFile(folder / TRIGGERS)
        self._written_before = _seqs(folder / TRIGGERS)

    def record(self, record: Record, pixels: Picture | None, missing: PictureState = "absent") -> None:
        """Write the frame, then the line that names it, once. Raises StorageError when not even the line can be."""
        decision = record.decision
        if decision.seq in self._written_before:
            return
        file, reason = None, f"{missing}: {decision.reason}" if decision.reason else missing
        if pixels is not None:
            file, reason = self._write_frame(decision.seq, pixels)
        self._lines.append(TriggerLine(decision.seq, decision.t_trigger_ns, decision.counter, file, reason))

    @property
    def unwritten(self) -> int:
        return 0

    def note(self, note: Note) -> None:
        """A recording keeps triggers and nothing else."""

    def sync(self) -> None:
        self._lines.sync()

    def close(self) -> None:
        self._lines.sync()
        self._lines.close()

    def _write_frame(self, seq: int, pixels: Picture) -> tuple[str | None, str]:
        """The frame's file and no reason, or no file and the reason."""
        data, name = encode_png(pixels), frame_file(seq)
        try:
            if free_bytes(self._folder) - len(data) < self._floor:
                return None, f"refused: less than {self._floor / 1e6:g} MB would stay free"
            write_whole(self._folder / name, data)
        except StorageError as exc:
            return None, f"refused: {exc.reason}"
        return name, ""


def _seqs(triggers: Path) -> frozenset[int]:
    """The parts that a recorder before has written."""
    try:
        return frozenset(msgspec.json.decode(line, type=TriggerLine).seq for _, line in read_lines(triggers))
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise StorageError(triggers, f"holds a line that is no trigger: {exc}") from exc
