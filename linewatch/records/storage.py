"""How much the pictures of all runs may take: a byte budget and a floor of free space, both kept before each writing.

Room is made in small steps: what the station wants least first, of that the oldest run first, and within a run the
oldest part first. Only pictures of ours in run folders are ever removed; decision logs never.
"""

import contextlib
import errno
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from linewatch.core.errors import StorageError
from linewatch.pictures.write import write_whole
from linewatch.records import database
from linewatch.records.crops import CROPS, FRAMES, seq_of
from linewatch.records.decision_log import logs_in
from linewatch.records.retention import Retention

_BLOCK = 4096  # bytes; what a file takes on disk is a whole number of these
_STEP = 0.01  # of what is there: removed at once, so that a full store does not look around before every single picture


class Kept(NamedTuple):
    """One picture of ours in a run folder. size: on disk, in bytes. t_s: wall clock when it was written."""

    seq: int
    path: Path
    size: int
    t_s: float


class PictureStore:
    """The pictures of all run folders in one output folder, those in the folders `kinds` of each.

    retention: what is wanted least. removed: pictures removed so far to make room.
    """

    def __init__(
        self, output: Path, budget_bytes: int, floor_bytes: int, retention: Retention | None = None,
        kinds: Sequence[str] = (CROPS, FRAMES),
    ) -> None:  # fmt: skip
        """Counts what is there. Raises StorageError when the output folder cannot be read."""
        self._output = output
        self._budget = budget_bytes
        self._floor = floor_bytes
        self._kinds = kinds
        self.retention = retention or Retention()
        self._used = {run: self._by_rank(pictures_of(run, kinds)) for run in run_folders(output)}
        self._queue: deque[Kept] = deque()
        self._queue_of = (output, 0)  # run and rank
        self.removed = 0

    @property
    def used_bytes(self) -> int:
        return sum(map(sum, self._used.values()))

    @property
    def runs(self) -> list[Path]:
        """The run folders that may hold pictures, oldest first."""
        return list(self._used)

    def rank_of(self, picture: Path) -> int:
        return self.retention.rank(picture.parent.name, picture.name)

    def gone(self, run: Path, picture: Kept) -> None:
        """Somebody removed `picture`, which was counted."""
        self._used[run][self.rank_of(picture.path)] -= picture.size
        if self._queue_of[0] == run:
            self._queue.clear()  # it may be in it

    def write(self, run: Path, name: str, data: bytes, seq: int) -> None:
        """Write the picture `name` of part `seq` into the run folder `run`, after making room for it.

        Raises StorageError when there is no room or the disk fails.
        """
        size = on_disk(len(data))
        self.make_room(size, run, seq)
        try:
            write_whole(run / name, data)
        except StorageError as exc:
            # A disk that is full below the floor's knowledge (quota, other file system): one more step, one more try.
            if not is_full(exc) or not self.make_way(size, run, seq):
                raise
            write_whole(run / name, data)
        self._used.setdefault(run, [0] * self.retention.ranks)[self.rank_of(run / name)] += size

    def make_room(self, size: int, run: Path, seq: int) -> None:
        """Remove pictures until `size` bytes fit, as `make_way` does. Raises StorageError when they cannot."""
        while (refusal := self._refusal(size)) is not None:
            # When nothing can go, what is there was counted anew: others may have tidied up.
            if not self.make_way(size, run, seq) and self._refusal(size) is not None:
                raise StorageError(run, refusal)

    def _refusal(self, size: int) -> str | None:
        if self.used_bytes + size > self._budget:
            return f"the picture does not fit into storage.budget_mb = {self._budget / 1e6:g}"
        if free_bytes(self._output) - size < self._floor:
            return f"less than storage.floor_mb = {self._floor / 1e6:g} would stay free"
        return None

    def make_way(self, size: int, run: Path, seq: int) -> bool:
        """Let the least wanted pictures go, `size` bytes or one step, but none of part `seq` of `run` or later.

        False when none could be removed.
        """
        freed, wanted = 0, max(size, int(self.used_bytes * _STEP))
        if any(sum(used[: self._queue_of[1]]) for used in self._used.values()):
            self._queue.clear()  # less wanted ones came since it was filled
        while freed < wanted and self._refill(run, seq):
            oldest = self._queue[0]
            if self._queue_of[0] == run and oldest.seq >= seq:
                break
            try:
                oldest.path.unlink(missing_ok=True)
            except OSError:  # the disk became read-only or fails: the caller finds no room and says so
                break
            self._queue.popleft()
            self._used[self._queue_of[0]][self._queue_of[1]] -= oldest.size
            self.removed += 1
            freed += oldest.size
        return freed > 0

    def _refill(self, run: Path, seq: int) -> bool:
        """True when the queue holds pictures that may go: of one rank in one run at a time, the current run last."""
        if self._queue:
            return True
        candidates = [*(one for one in self._used if one != run), run]
        for rank in range(self.retention.ranks):
            for candidate in candidates:
                if self._used.get(candidate, [0] * self.retention.ranks)[rank]:
                    self._queue, self._queue_of = deque(self._going(candidate, rank, run, seq)), (candidate, rank)
                if self._queue:
                    return True
        return False

    def _going(self, candidate: Path, rank: int, run: Path, seq: int) -> list[Kept]:
        """The pictures of `rank` in `candidate` that may go, oldest first; the others are counted anew as well."""
        there = sorted(pictures_of(candidate, self._kinds))
        self._used[candidate] = self._by_rank(there)  # others may have tidied up meanwhile
        return [one for one in there if self.rank_of(one.path) == rank and (candidate != run or one.seq < seq)]

    def _by_rank(self, pictures: Iterable[Kept]) -> list[int]:
        """Bytes of each rank."""
        used = [0] * self.retention.ranks
        for one in pictures:
            used[self.rank_of(one.path)] += one.size
        return used


def run_folders(output: Path) -> list[Path]:
    """The run folders in `output`, oldest first: what holds a decision log. Raises StorageError."""
    try:
        return [folder for _, folder in logs_in(output)]
    except OSError as exc:
        raise StorageError(output, exc.strerror or "cannot be read") from exc


def pictures_of(run: Path, kinds: Sequence[str] = (CROPS, FRAMES)) -> Iterator[Kept]:
    """Each picture of ours in a run folder; files of others are not seen."""
    for kind in kinds:
        with contextlib.suppress(FileNotFoundError), os.scandir(run / kind) as entries:
            for entry in entries:
                seq = seq_of(entry.name)
                with contextlib.suppress(FileNotFoundError):  # it went meanwhile
                    if seq is not None and entry.is_file(follow_symlinks=False):
                        found = entry.stat()
                        yield Kept(seq, Path(entry.path), on_disk(found.st_size), found.st_mtime)


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write to the file system of `folder`. Raises StorageError."""
    try:
        found = os.statvfs(folder)
    except OSError as exc:
        raise StorageError(folder, exc.strerror or "cannot be read") from exc
    return found.f_bavail * found.f_frsize


def is_full(error: StorageError) -> bool:
    """Whether room would help. A disk that fails is no reason to remove what it still holds."""
    cause = error.__cause__
    return database.is_full(cause) or (isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT))


def on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
