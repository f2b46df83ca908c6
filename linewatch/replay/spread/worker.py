"""A worker: one inspector in a process of Ray's, somewhere. It inspects what it is sent, and decides nothing."""

import socket
from collections.abc import Callable
from pathlib import Path

from linewatch.core.clock import RecordedClock
from linewatch.core.errors import LinewatchError, StorageError
from linewatch.core.station import Station
from linewatch.inspection.inspector import Inspector, assemble
from linewatch.inspection.start import open_detector
from linewatch.pictures.recording import Entry
from linewatch.replay.inspecting import Inspected, inspect
from linewatch.replay.selection import Scheduled
from linewatch.replay.spread import messages
from linewatch.replay.spread.edition import edition_of
from linewatch.replay.spread.messages import Answer, Brief, Chunk, FromWorker, Introduced, Opened, Refused, Seen, Sent


class Worker:
    """Bytes in, bytes out: what Ray pickles must not depend on the version of linewatch at either end."""

    def __init__(self) -> None:
        self._host = socket.gethostname()
        self._station: Station | None = None
        self._inspector: Inspector | None = None

    def introduce(self, brief: bytes) -> bytes:
        """Look at the files that it will need; answers Introduced, or Refused."""
        return self._answered(lambda: self._introduce(messages.to_worker(brief, Brief)))

    def open(self, where: str) -> bytes:
        """Load and warm what inspects; answers Opened, or Refused. where: the station file, named in errors."""
        return self._answered(lambda: self._open(where))

    def inspect(self, chunk: bytes) -> bytes:
        """Inspect the chunk's parts; answers Answer, or Refused when its files are not those of the replay."""
        return self._answered(lambda: self._inspect(messages.to_worker(chunk, Chunk)))

    def _answered(self, work: Callable[[], FromWorker]) -> bytes:
        try:
            return messages.pack(work())
        except LinewatchError as exc:
            value = exc.value if isinstance(exc.value, str | int | float | None) else str(exc.value)
            return messages.pack(Refused(self._host, type(exc).__name__, exc.where, exc.reason, value))

    def _introduce(self, brief: Brief) -> Introduced:
        self._station = Station.model_validate_json(brief.station)
        folder = Path(brief.folder)
        if not folder.is_dir():
            raise StorageError(folder, "is no folder that this worker can see")
        return Introduced(self._host, edition_of(self._station))

    def _open(self, where: str) -> Opened:
        assert self._station is not None
        detector = open_detector(self._station)
        self._inspector = assemble(self._station, detector, RecordedClock(), where)
        detector.warm_up()
        return Opened(self._host, detector.name, self._inspector.largest_batch)

    def _inspect(self, chunk: Chunk) -> Answer:
        assert self._inspector is not None and self._station is not None
        grey, size, seen = self._station.camera.grey, self._inspector.largest_batch, []
        for at in range(0, len(chunk.parts), size):
            parts = [_scheduled(part, chunk.first + at + n) for n, part in enumerate(chunk.parts[at : at + size])]
            seen += [_seen(one) for one in inspect(self._inspector, parts, chunk.first + at, grey)]
        return Answer(tuple(seen))


def _scheduled(part: Sent, number: int) -> Scheduled:
    """The trigger without its time and counter, which no inspection depends on."""
    path = None if part.path is None else Path(part.path)
    if path is not None and part.size >= 0:
        _require_size(path, part.size)
    return Scheduled(Entry(number, None, 0, path, part.reason), 0, part.source)


def _require_size(path: Path, size: int) -> None:
    """Raises StorageError unless the file here is as long as the replay's: it may be another archive's."""
    try:
        found = path.stat().st_size
    except OSError as exc:
        raise StorageError(path, f"this worker cannot read it: {exc.strerror}") from exc
    if found != size:
        raise StorageError(path, f"has {found} bytes here and {size} on the replay's machine: is it the same archive?")


def _seen(one: Inspected) -> Seen:
    return Seen(one.inspection) if one.doubt is None else Seen(one.inspection, one.doubt.cause, one.doubt.reason)
