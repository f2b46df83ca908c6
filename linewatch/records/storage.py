"""How much the pictures of all runs may take: a byte budget and a floor of free space, both kept before each writing.

Room is made in small steps, oldest run first and within a run oldest part first. Only pictures of ours in run folders
are ever removed; decision logs never.
"""

import contextlib
import errno
import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from linewatch.core.errors import StorageError
from linewatch.pictures.write import write_whole
from linewatch.records.crops import CROPS, FRAMES, seq_of
from linewatch.records.decision_log import DECISIONS

_BLOCK = 4096  # bytes; what a file takes on disk is a whole number of these
_STEP = 0.01  # of the budget: removed at once, so that a full store does not remove before every single picture


class PictureStore:
    """The pictures of all run folders in one output folder, those in the folders `kinds` of each.

    removed: pictures removed so far to make room.
    """

    def __init__(
        self, output: Path, budget_bytes: int, floor_bytes: int, kinds: Sequence[str] = (CROPS, FRAMES)
    ) -> None:
        """Counts what is there. Raises StorageError when the output folder cannot be read."""
        self._output = output
        self._budget = budget_bytes
        self._floor = floor_bytes
        self._kinds = kinds
        self._used = {run: sum(size for _, _, size in pictures_of(run, kinds)) for run in run_folders(output)}
        self._queue: deque[tuple[int, Path, int]] = deque()
        self._queue_run = output
        self.removed = 0

    @property
    def used_bytes(self) -> int:
        return sum(self._used.values())

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
        self._used[run] = self._used.get(run, 0) + size

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
        """Remove the oldest pictures, `size` bytes or one step of the budget, but none of part `seq` of `run` or later.

        False when none could be removed.
        """
        freed, wanted = 0, max(size, int(self._budget * _STEP))
        while freed < wanted and self._refill(run, seq):
            number, path, taken = self._queue[0]
            if self._queue_run == run and number >= seq:
                break
            try:
                path.unlink(missing_ok=True)
            except OSError:  # the disk became read-only or fails: the caller finds no room and says so
                break
            self._queue.popleft()
            self._used[self._queue_run] -= taken
            self.removed += 1
            freed += taken
        return freed > 0

    def _refill(self, run: Path, seq: int) -> bool:
        """True when the queue holds pictures that may go; it is filled from one run at a time, the current one last."""
        if self._queue:
            return True
        for candidate in [*(one for one in self._used if one != run), run]:
            there = sorted(pictures_of(candidate, self._kinds))
            self._used[candidate] = sum(taken for _, _, taken in there)  # others may have tidied up meanwhile
            self._queue = deque(one for one in there if candidate != run or one[0] < seq)
            self._queue_run = candidate
            if self._queue:
                return True
        return False


def run_folders(output: Path) -> list[Path]:
    """The run folders in `output`, oldest first: what holds a decision log. Raises StorageError."""
    try:
        logs = [(path.stat().st_mtime_ns, path.parent) for path in output.glob(f"*/{DECISIONS}")]
    except OSError as exc:
        raise StorageError(output, exc.strerror or "cannot be read") from exc
    return [folder for _, folder in sorted(logs)]


def pictures_of(run: Path, kinds: Sequence[str] = (CROPS, FRAMES)) -> Iterator[tuple[int, Path, int]]:
    """Part, path and bytes on disk of each picture of ours in a run folder; files of others are not seen."""
    for kind in kinds:
        with contextlib.suppress(FileNotFoundError), os.scandir(run / kind) as entries:
            for entry in entries:
                seq = seq_of(entry.name)
                if seq is not None and entry.is_file(follow_symlinks=False):
                    yield seq, Path(entry.path), on_disk(entry.stat().st_size)


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write to the file system of `folder`. Raises StorageError."""
    try:
        found = os.statvfs(folder)
    except OSError as exc:
        raise StorageError(folder, exc.strerror or "cannot be read") from exc
    return found.f_bavail * found.f_frsize


def is_full(error: StorageError) -> bool:
    """Whether room would help. A disk that fails is no reason to remove what it still holds."""
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOSPC, errno.EDQUOT)


def on_disk(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
