"""Inspecting over a cluster: chunks out to the workers, inspections back into the order of the parts."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from linewatch.core.errors import DeviceError, PictureError, StorageError, UsageError
from linewatch.core.station import Station
from linewatch.inspection.quality import Doubt
from linewatch.pictures.read import read_picture
from linewatch.records.crops import worth_a_crop
from linewatch.replay.inspecting import GoesOn, Inspected, load_part
from linewatch.replay.selection import Scheduled
from linewatch.replay.spread.cluster import LOCAL, Cluster, connected
from linewatch.replay.spread.crew import Crew, Fatal, Terms
from linewatch.replay.spread.edition import edition_of
from linewatch.replay.spread.messages import Answer, Brief, Chunk, Seen, Sent, pack

_CHUNK = 4  # parts; a worker's loss costs so many at the most, twice over
_AHEAD = 4  # chunks a worker that may be under way or wait for their turn: what is kept in memory
_LOOK_S = 0.2  # how long an interrupt may go unseen


@dataclass(frozen=True)
class Wish:
    """What the command line asks for.

    workers: none is as many as there is room for. threads: of each; none is the station's own number, or one.
    """

    address: str
    workers: int | None = None
    threads: int | None = None
    patience_s: float = 300.0


@contextlib.contextmanager
def spread(station: Station, where: Path, folder: Path, wish: Wish) -> Iterator["Spread"]:
    """Workers that inspect the recording `folder` for the station file `where`, all warm and of one edition.

    Raises UsageError, DeviceError, and what a worker refuses for: StationError, ModelError, StorageError, ConfigError.
    """
    cores = len(os.sched_getaffinity(0))
    threads = wish.threads or station.detector.threads or 1
    workers = wish.workers if wish.workers or wish.address != LOCAL else max(1, cores // threads)
    station = station.model_copy(update={"detector": station.detector.model_copy(update={"threads": threads})})
    edition = edition_of(station)
    brief = Brief(station.model_dump_json(by_alias=True, exclude_unset=True), str(folder.absolute()))
    with connected(wish.address, (workers or 1) * threads) as cluster:
        gpus = 1 if cluster.gpus and getattr(station.detector, "device", "cpu") != "cpu" else 0
        size = _size(workers, cluster, threads, gpus)
        crew = Crew(cluster, Terms(threads, gpus, pack(brief), edition, str(where), wish.patience_s), size)
        try:
            opened = crew.start()
            yield Spread(crew, opened.name, station, size, opened.largest_batch)
        finally:
            crew.close()


def _size(wanted: int | None, cluster: Cluster, threads: int, gpus: int) -> int:
    room = min(cluster.cpus // threads, cluster.gpus // gpus if gpus else cluster.cpus)
    if room < (wanted or 1):
        has = f"{cluster.cpus} CPUs" + (f" and {cluster.gpus} GPUs" if gpus else "")
        raise UsageError("--workers", f"the cluster has {has}, and each worker takes {threads} CPUs", wanted)
    return wanted or room


class Spread:
    """The workers as one inspector."""

    def __init__(self, crew: Crew, name: str, station: Station, size: int, largest_batch: int) -> None:
        self.name = name
        self._crew = crew
        self._grey = station.camera.grey
        self._crops = station.storage.crops
        self._chunk = largest_batch * -(-_CHUNK // largest_batch)  # whole batches, cut where one process cuts them
        self._ahead = _AHEAD * size

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the result should be told."""
        lost = self._crew.lost
        return (f"workers lost on the way: {lost}; what they had in hand was inspected again",) if lost else ()

    def inspected(self, parts: Sequence[Scheduled], goes_on: GoesOn) -> Iterator[Inspected]:
        firsts = range(0, len(parts), self._chunk)
        answers: dict[int, Answer] = {}
        given = 0
        for number, first in enumerate(firsts):
            while given < min(number + self._ahead, len(firsts)):
                self._crew.give(given, pack(self._chunk_of(parts, firsts[given])))
                given += 1
            while number not in answers:
                if not goes_on(parts[first]):
                    return
                answers.update(self._turn(parts))
            group = parts[first : first + self._chunk]
            for seq, (part, seen) in enumerate(zip(group, answers.pop(number).seen, strict=True), start=first + 1):
                yield self._checked(seq, part, seen)
            if not goes_on(parts[first]):
                return

    def _turn(self, parts: Sequence[Scheduled]) -> list[tuple[int, Answer]]:
        try:
            return self._crew.turn(_LOOK_S)
        except Fatal as exc:
            group = parts[exc.task * self._chunk : (exc.task + 1) * self._chunk]
            reason = f"every worker that inspected it was lost, 3 in all: {exc}"
            raise DeviceError(f"{group[0].source} to {group[-1].source}", reason) from exc

    def _chunk_of(self, parts: Sequence[Scheduled], first: int) -> Chunk:
        return Chunk(first + 1, tuple(_sent(part) for part in parts[first : first + self._chunk]))

    def _checked(self, seq: int, part: Scheduled, seen: Seen) -> Inspected:
        """A picture that a worker could not read must be one that nobody can: else the worker is at fault."""
        if seen.cause is not None:
            here = load_part(part, seq, self._grey).picture
            doubt = Doubt(seen.cause, seen.reason)
            if here != doubt:
                raise StorageError(part.entry.path, f"a worker cannot read it, and this machine can: {seen.reason}")
            return Inspected(seq, part, seen.inspection, doubt, None)
        return self._with_picture(seq, part, seen)

    def _with_picture(self, seq: int, part: Scheduled, seen: Seen) -> Inspected:
        """Read here, where the crops are cut, and only when there are any."""
        if part.entry.path is None or not (self._crops and worth_a_crop(seen.inspection.detections)):
            return Inspected(seq, part, seen.inspection, None, None, "unwanted")
        try:
            return Inspected(seq, part, seen.inspection, None, read_picture(part.entry.path, self._grey))
        except PictureError:
            return Inspected(seq, part, seen.inspection, None, None, "gone")


def _sent(part: Scheduled) -> Sent:
    """size: -1 when the file cannot be asked, which the worker will find out, too."""
    path, size = part.entry.path, -1
    with contextlib.suppress(OSError):
        size = path.stat().st_size if path is not None else -1
    return Sent(None if path is None else str(path.absolute()), part.source, part.entry.reason, size)
