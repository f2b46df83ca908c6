"""What was the last seq of the run before? Known exactly after a crash, and nothing is written on the decision path.

While the line runs, run id and last seq stand in a mapped file of the runtime folder: storing them is a write to memory
that the kernel keeps when the process is killed. At start and at a clean end `last_run.STATION.json` is written
atomically into the output folder. After a loss of power, when the mapped file is gone, that run's decision log tells as
far as it reached the disk.
"""

import contextlib
import json
import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from linewatch.core.errors import StorageError

MAPPED_FILE = "last_seq"
DECISIONS = "decisions.sqlite"  # its view `decisions` is documented in docs/audit.md
_RECORD = struct.Struct("<64sQQ")  # run id, last seq, parts decided
_SEQS = struct.Struct("<QQ")


@dataclass(frozen=True)
class Ended:
    """How a run ended. seq: of its last part, as far as known. undecided: parts left without a decision, if known."""

    run: str
    seq: int
    undecided: int
    clean: bool

    def __str__(self) -> str:
        how = "ended" if self.clean else "was cut off"
        open_parts = f", {self.undecided} parts undecided" if self.undecided else ""
        return f"run {self.run} {how} at seq {self.seq}{open_parts}"


class LastRun:
    """Remembers one station's run beyond the process. Raises StorageError when the runtime folder cannot be written."""

    def __init__(self, runtime: Path, output: Path, station: str) -> None:
        self._mapped_path = runtime / MAPPED_FILE
        self._output = output
        self._kept = output / f"last_run.{station}.json"
        self._mapped: mmap.mmap | None = None
        self._run = ""

    def before(self) -> Ended | None:
        """The run before this one; none when there was none. Call before `begin`."""
        kept, mapped = self._read_kept(), self._read_mapped()
        if mapped is not None and (kept is None or kept.run != mapped.run or not kept.clean):
            return mapped  # where the runs differ, the output folder could not be written and is behind
        return kept if kept is None or kept.clean else self._read_log(kept)

    def begin(self, run: str) -> str:
        """From now on `run` is the last one. Returns why the output folder could not be written, empty if it could."""
        self._run = run
        try:
            with self._mapped_path.open("wb") as file:
                file.write(_RECORD.pack(run.encode(), 0, 0))
            with self._mapped_path.open("r+b") as file:
                self._mapped = mmap.mmap(file.fileno(), _RECORD.size)
        except OSError as exc:
            raise StorageError(self._mapped_path, exc.strerror or "cannot be written") from exc
        return self._keep(0, 0, clean=False, sync=True)

    def note(self, seq: int, decided: int) -> None:
        """The last seq and how many parts are decided; a store to memory."""
        if self._mapped is not None:
            _SEQS.pack_into(self._mapped, _RECORD.size - _SEQS.size, seq, decided)

    def end(self, seq: int, decided: int) -> None:
        """The run ended as it should."""
        self.note(seq, decided)
        if self._mapped is not None:
            self._mapped.close()
            self._mapped = None
        self._keep(seq, seq - decided, clean=True, sync=False)  # a busy disk must not hold up the end

    def _keep(self, seq: int, undecided: int, *, clean: bool, sync: bool) -> str:
        text = json.dumps({"run": self._run, "seq": seq, "undecided": undecided, "clean": clean})
        temporary = self._kept.with_suffix(".new")
        try:
            self._output.mkdir(parents=True, exist_ok=True)
            with temporary.open("w") as file:
                file.write(text + "\n")
                file.flush()
                if sync:
                    os.fsync(file.fileno())
            temporary.replace(self._kept)
        except OSError as exc:
            return f"{self._kept}: {exc.strerror}"
        return ""

    def _read_kept(self) -> Ended | None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(self._kept.read_text())
            return Ended(str(found["run"]), int(found["seq"]), int(found["undecided"]), found["clean"] is True)
        return None

    def _read_mapped(self) -> Ended | None:
        with contextlib.suppress(OSError, struct.error, UnicodeDecodeError):
            run, seq, decided = _RECORD.unpack(self._mapped_path.read_bytes())
            return Ended(run.rstrip(b"\0").decode(), seq, seq - decided, clean=False)
        return None

    def _read_log(self, kept: Ended) -> Ended:
        """`kept` with the highest seq of its decision log, as far as there is one that can be read."""
        import sqlite3  # wanted after a loss of power alone

        path = self._output / kept.run / DECISIONS
        with contextlib.suppress(OSError, sqlite3.Error, TypeError):
            with contextlib.closing(sqlite3.connect(f"{path.resolve(strict=True).as_uri()}?mode=ro", uri=True)) as log:
                (seq,) = log.execute("SELECT max(seq) FROM decisions").fetchone()
            return Ended(kept.run, max(kept.seq, seq), 0, clean=False)
        return Ended(kept.run, kept.seq, 0, clean=False)
