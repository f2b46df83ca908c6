"""Which parts of a recorded folder are played, and at which times."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from linewatch.core.errors import StorageError, UsageError
from linewatch.core.station import Station
from linewatch.pictures.recording import Entry, open_recording

_NAMED = 5  # missing names that a note lists


@dataclass(frozen=True)
class Scheduled:
    """One recorded trigger, the time it is played at, and its file relative to the recording."""

    entry: Entry
    t_trigger_ns: int
    source: str


@dataclass(frozen=True)
class Selection:
    """parts: to be played, in order. notes: what a reader of the result should be told."""

    parts: tuple[Scheduled, ...]
    notes: tuple[str, ...]


def select(folder: Path, station: Station, limit: int | None, only: Collection[str] | None) -> Selection:
    """The parts to play of the recording or plain folder `folder`.

    limit: the first so many of those selected. only: file names that are wanted. A plain folder has no times: its parts
    come at the station's minimum gap.
    Raises StorageError when the folder holds nothing to play or its times go backwards, UsageError on a limit below 1.
    """
    if limit is not None and limit < 1:
        raise UsageError("limit", "must be 1 or more", limit)
    recording = open_recording(folder)
    notes = [*recording.notes, *_renumbered(recording.entries)]
    entries: Sequence[Entry] = recording.entries
    if only is not None:
        entries = [entry for entry in entries if entry.path is not None and entry.path.name in only]
        notes += _absent(only, entries)
    if not entries:
        raise StorageError(folder, "holds none of the pictures that are wanted")
    entries = entries[:limit]
    return Selection(tuple(_schedule(folder, entries, round(station.line.min_gap_ms * 1e6))), tuple(notes))


def _schedule(folder: Path, entries: Sequence[Entry], gap_ns: int) -> list[Scheduled]:
    scheduled: list[Scheduled] = []
    for number, entry in enumerate(entries, start=1):
        t_ns = number * gap_ns if entry.t_trigger_ns is None else entry.t_trigger_ns
        if scheduled and t_ns < scheduled[-1].t_trigger_ns:
            raise StorageError(f"{folder}: seq {entry.seq}", "was triggered before the one before it", t_ns)
        source = "" if entry.path is None else entry.path.relative_to(folder).as_posix()
        scheduled.append(Scheduled(entry, t_ns, source))
    return scheduled


def _renumbered(entries: Sequence[Entry]) -> list[str]:
    if entries[-1].seq == len(entries):
        return []
    first, last = entries[0].seq, entries[-1].seq
    return [f"recorded numbers {first} to {last} have gaps or do not start at 1: parts are numbered anew"]


def _absent(only: Collection[str], entries: Sequence[Entry]) -> list[str]:
    absent = sorted(set(only) - {entry.path.name for entry in entries if entry.path is not None})
    if not absent:
        return []
    shown = ", ".join(absent[:_NAMED]) + (", ..." if len(absent) > _NAMED else "")
    return [f"{len(absent)} of {len(only)} wanted pictures are not in the folder: {shown}"]
