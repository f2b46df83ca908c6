"""One run's folder: pictures first, then the line that names them; the line before everything else when room is short.

<run>/decisions.sqlite or decisions.jsonl   <run>/events.jsonl   <run>/crops/   <run>/frames/
<run>/summary.json (once closed)
"""

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

from linewatch.core.clock import wall_time
from linewatch.core.errors import LinewatchError, StorageError
from linewatch.core.jsonlines import LineFile
from linewatch.core.messages import Note, Record, Verdict
from linewatch.pictures.types import Picture, Rectify
from linewatch.pictures.write import encode_png, write_whole
from linewatch.records.ageing import Ageing
from linewatch.records.crops import CROPS, FRAMES, crop, crop_file, frame_file, worth_a_crop
from linewatch.records.decision_log import DecisionLine, DecisionLog, PictureState, line_of, read_decisions
from linewatch.records.json_log import JsonLog
from linewatch.records.retention import tag_of
from linewatch.records.storage import PictureStore, is_full
from linewatch.records.summary import SUMMARY, Summary, Tally, write_summary

EVENTS = "events.jsonl"
_MOST_WAITING = 10_000  # lines kept in memory while the disk takes none
_MOST_REPEATED = 10_000  # records that may come again after a recorder was killed: more than the controller keeps
_LOG_STEP = 1 << 20  # bytes of pictures that make way for a log that finds the disk full

Tell = Callable[[str, str], None]
"""Called with kind and text of what people should hear of."""


class RunFolder:
    """Writes one run. Used by the recorder process and by replay; nothing here knows of processes or clocks."""

    def __init__(
        self,
        path: Path,
        *,
        crops: bool = True,
        frames: Literal["none", "rejects", "all"] = "rejects",
        rectify: Rectify | None = None,
        store: PictureStore | None = None,
        ageing: Ageing | None = None,
        tell: Tell | None = None,
        open_log: Callable[[Path], DecisionLog] = JsonLog,
    ) -> None:
        """Opens or creates the run folder; a run that was interrupted is continued, its torn last line cut off.

        crops, frames: which pictures are kept. rectify: from the sensor's picture to the inspected one, which the
        boxes are in and which is kept. store: keeps the budget; none writes without one. ageing: removes what is too
        old, with each `sync`. tell: hears of what people should know, and sees to it that it comes back as a note; none
        writes it into events.jsonl at once. open_log: the kind of decision log, in the folder that it is called with.
        Raises StorageError when the folder cannot be written.
        """
        self.path = path
        self._crops, self._frames, self._rectify = crops, frames, rectify
        self._store, self._ageing, self._tell = store, ageing, tell
        self._tally = Tally()
        self._station = ""
        self._waiting: deque[DecisionLine] = deque()
        self._logged_before: frozenset[int] = frozenset()
        self._lost = 0
        self._held_up = False
        self._refused = 0
        self._told_removed = self._told_expired = False
        self._make_folders()
        self._log = open_log(path)
        self._events = LineFile(path / EVENTS)
        self._resume()

    def record(self, record: Record, pixels: Picture | None, missing: PictureState = "absent") -> None:
        """Keep one decision with what the station wants of its picture. Never raises for a disk that fails.

        One that was in the log when the folder was opened is left as it is: the recorder before was killed after it.
        pixels: the sensor's picture. missing: why there is none.
        """
        if record.decision.seq in self._logged_before:
            return
        self._station = record.decision.station
        crops, frame, state = self._keep_pictures(record, pixels, missing)
        line = line_of(record, crops, frame, state)
        self._tally.add(line)
        self._waiting.append(line)
        if len(self._waiting) % self._log.batch == 0:
            self._write_waiting()

    @property
    def unwritten(self) -> int:
        """Lines that wait for the next writing, or for the disk to take them."""
        return len(self._waiting)

    def note(self, note: Note) -> None:
        """One line in events.jsonl for what is no decision."""
        with contextlib.suppress(StorageError):  # the log line has priority; the note was told to the controller too
            self._events.append({"kind": note.kind, "text": note.text, "seq": note.seq, "wall": wall_time()})

    def sync(self) -> None:
        """Write what waits, bring the log onto the disk, and let old pictures go."""
        self._write_waiting()
        with contextlib.suppress(StorageError):  # tried again with the next one, about a second later
            self._log.sync()
        if self._ageing is not None:
            self._ageing.step()
            if self._ageing.expired and not self._told_expired:
                self._told_expired = True
                self._say("pictures_expired", "pictures older than storage.retention keeps them are removed")

    def close(self) -> Summary:
        """Write summary.json and close the files. Raises StorageError when the summary cannot be written."""
        self.sync()
        self._log.close()
        self._events.close()
        lost = self._lost + len(self._waiting)
        summary = self._tally.summary(self._station, self.path.name, log_lost=lost)
        try:
            write_summary(self.path, summary)
        except StorageError as exc:
            if (
                self._store is None
                or not is_full(exc)
                or not self._store.make_way(_LOG_STEP, self.path, summary.last_seq + 1)
            ):
                raise
            write_summary(self.path, summary)
        return summary

    def _make_folders(self) -> None:
        try:
            for folder in (self.path / CROPS, self.path / FRAMES):
                folder.mkdir(parents=True, exist_ok=True)
            (self.path / SUMMARY).unlink(missing_ok=True)  # it marks a closed run, and this one is open again
        except OSError as exc:
            raise StorageError(self.path, exc.strerror or "cannot be written") from exc

    def _resume(self) -> None:
        if self._log.remark is not None:
            self._say(self._log.remark.kind, self._log.remark.text)
        newest: deque[int] = deque(maxlen=_MOST_REPEATED)
        for line in read_decisions(self.path):
            self._tally.add(line)
            newest.append(line.seq)
        self._logged_before = frozenset(newest)

    def _keep_pictures(
        self, record: Record, pixels: Picture | None, missing: PictureState
    ) -> tuple[tuple[str, ...], str | None, PictureState]:
        """Names of the crops and of the frame that now lie on the disk, and what became of the picture."""
        if pixels is None:
            return (), None, missing
        kept: list[str] = []
        try:
            for name, picture in self._wanted(record, pixels):
                self._write(name, encode_png(picture), record.decision.seq)
                kept.append(name)
        except StorageError as exc:
            self._refuse(exc)
            state: PictureState = "refused"
        else:
            self._accept()
            state = "kept" if kept else "unwanted"
        frames = [name for name in kept if name.startswith(f"{FRAMES}/")]
        return tuple(name for name in kept if name not in frames), frames[0] if frames else None, state

    def _wanted(self, record: Record, pixels: Picture) -> list[tuple[str, Picture]]:
        """File name and picture of everything that is to be kept of this part."""
        decision = record.decision
        whole = self._frames == "all" or (self._frames == "rejects" and decision.verdict is Verdict.REJECT)
        found = worth_a_crop(record.detections) if self._crops else []
        if not whole and not found:
            return []
        try:
            picture = pixels if self._rectify is None else self._rectify(pixels)
        except LinewatchError:  # of another size than calibrated: it could not be inspected, and is kept as it came
            picture, found = pixels, []
        tag = tag_of(decision) if self._store is not None and self._store.retention.goes_by_name else ""
        wanted = [(frame_file(decision.seq, tag), picture)] if whole else []
        for number, detection in enumerate(found, start=1):
            cut = crop(picture, detection)
            if cut is not None:
                wanted.append((crop_file(decision.seq, detection.label, number), cut))
        return wanted

    def _write(self, name: str, data: bytes, seq: int) -> None:
        if self._store is None:
            write_whole(self.path / name, data)
            return
        self._store.write(self.path, name, data, seq)
        if self._store.removed and not self._told_removed:
            self._told_removed = True
            self._say("pictures_removed", "the storage budget is full: from now on the oldest pictures make way")

    def _write_waiting(self) -> None:
        """Write the lines that wait, oldest first, until the disk takes no more."""
        while self._waiting:
            lines = list(islice(self._waiting, self._log.batch))
            try:
                self._append(lines)
            except StorageError as exc:
                self._hold_up(exc)
                return
            self._held_up = False
            for _ in lines:
                self._waiting.popleft()

    def _hold_up(self, error: StorageError) -> None:
        if not self._held_up:
            self._say("log_waiting", f"{error}: the lines are kept in memory and tried again")
        self._held_up = True
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft()
            self._lost += 1

    def _append(self, lines: Sequence[DecisionLine]) -> None:
        try:
            self._log.append(lines)
        except StorageError as exc:
            if self._store is None or not is_full(exc):
                raise
            self._store.make_way(_LOG_STEP, self.path, lines[0].seq)
            self._log.append(lines)

    def _refuse(self, error: StorageError) -> None:
        self._refused += 1
        if self._refused == 1:
            self._say("pictures_refused", str(error))

    def _accept(self) -> None:
        if self._refused:
            self._say("pictures_kept_again", f"{self._refused} parts are without their pictures")
        self._refused = 0

    def _say(self, kind: str, text: str) -> None:
        if self._tell is None:
            self.note(Note(kind, text))
        else:
            self._tell(kind, text)
