"""A recording: what `linewatch record` writes and `linewatch replay` and the folder camera read.

    <recording>/frames/00000001.png   sensor pictures, lossless
    <recording>/triggers.jsonl        one trigger a line: seq, t_ns, counter, file (null: no picture came), reason
    <recording>/station.yaml          the station file as it was

A plain folder of pictures is a recording without times: picture n, by name, belongs to trigger n.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from linewatch.core.errors import StorageError
from linewatch.core.jsonlines import read_lines, torn_end
from linewatch.pictures.folder import list_pictures

TRIGGERS = "triggers.jsonl"
FRAMES = "frames"
STATION = "station.yaml"


class TriggerLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of triggers.jsonl. t_ns: monotonic clock of the recording machine. file: relative to the recording."""

    seq: int
    t_ns: int
    counter: int
    file: str | None
    reason: str = ""


@dataclass(frozen=True)
class Entry:
    """One recorded trigger. t_trigger_ns: none in a plain folder. path: none when no picture came, for `reason`."""

    seq: int
    t_trigger_ns: int | None
    counter: int
    path: Path | None
    reason: str = ""


@dataclass(frozen=True)
class Recording:
    """entries: in order of seq. station: the station file as it was, if kept. notes: what a reader should be told."""

    folder: Path
    entries: tuple[Entry, ...]
    station: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def has_times(self) -> bool:
        return all(entry.t_trigger_ns is not None for entry in self.entries)


def frame_file(seq: int) -> str:
    """The name of the picture of part `seq`, relative to the recording."""
    return f"{FRAMES}/{seq:08d}.png"


def open_recording(folder: Path) -> Recording:
    """The recording in `folder`, or the plain pictures in it.

    A torn last line is left out and noted. Raises StorageError when the folder holds neither, a line is damaged (named
    by its number), seq does not rise, or a picture that a line names is missing.
    """
    triggers = folder / TRIGGERS
    if not triggers.is_file():
        return _plain(folder)
    entries: list[Entry] = []
    for number, line in read_lines(triggers):
        entries.append(_entry(folder, number, line, entries[-1].seq if entries else 0))
    torn = torn_end(triggers)
    notes = (f"{triggers}: the last line was torn and is left out ({torn} bytes)",) if torn else ()
    if not entries:
        raise StorageError(triggers, "holds no trigger")
    station = folder / STATION
    return Recording(folder, tuple(entries), station if station.is_file() else None, notes)


def _plain(folder: Path) -> Recording:
    pictures = list_pictures(folder)
    return Recording(folder, tuple(Entry(n, None, n, path) for n, path in enumerate(pictures, start=1)))


def _entry(folder: Path, number: int, line: bytes, last_seq: int) -> Entry:
    where = f"{folder / TRIGGERS}: line {number}"
    try:
        read = msgspec.json.decode(line, type=TriggerLine)
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise StorageError(where, f"is no trigger: {exc}") from exc
    if read.seq <= last_seq:
        raise StorageError(where, f"seq must rise, the line before has {last_seq}", read.seq)
    return Entry(read.seq, read.t_ns, read.counter, _picture(folder, where, read.file), read.reason)


def _picture(folder: Path, where: str, file: str | None) -> Path | None:
    if file is None:
        return None
    relative = PurePosixPath(file)
    if relative.is_absolute() or ".." in relative.parts:
        raise StorageError(where, "names a picture outside the recording", file)
    path = folder / relative
    if not path.is_file():
        raise StorageError(where, "names a picture that is missing", file)
    return path
