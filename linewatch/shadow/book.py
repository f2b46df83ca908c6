"""Writing what the shadow saw: its log and the pictures of parts on which it differs, within its own budget."""

from collections.abc import Callable

import msgspec

from linewatch.core.clock import wall_time
from linewatch.core.errors import StorageError
from linewatch.core.jsonlines import LineFile
from linewatch.core.messages import Cause, Inspection, Look, Verdict
from linewatch.core.station import Station
from linewatch.line.judging import judge
from linewatch.pictures.rectify import rectifier_for
from linewatch.pictures.types import Picture
from linewatch.pictures.write import encode_png
from linewatch.records.decision_log import LoggedDetection, is_finite
from linewatch.records.storage import PictureStore, free_bytes
from linewatch.shadow.log import SHADOW_LOG, SHADOW_PICTURES, ShadowLine, Started

_LINE_BYTES = 4096  # what a line may take at most, for the floor of free space


class Book:
    """Never raises for a disk that fails: a line that cannot be written is lost, and people are told the first time."""

    def __init__(self, station: Station, run: str, model: str, tell: Callable[[str], None]) -> None:
        """station: as the shadow inspects it. model: name and digest. tell: hears what people should know."""
        assert station.shadow is not None
        self._output, self._run = station.storage.output, station.storage.output / run
        self._floor = round(station.storage.floor_mb * 1e6)
        self._budget = round(station.shadow.budget_mb * 1e6)
        self._rectify = rectifier_for(station)
        self._started = Started(model, wall_time())
        self._tell = tell
        self._log: LineFile | None = None
        self._store: PictureStore | None = None
        self._told: set[str] = set()

    def write(self, look: Look, inspection: Inspection | None, picture: Picture | None, reason: str = "") -> None:
        """One part. inspection: none when its frame was gone, for `reason`. picture: as the sensor gave it."""
        try:
            log, store = self._opened()
            line = _line(look, inspection, reason)
            if picture is not None and line.both_judged and line.verdict is not line.line_verdict:
                line = self._with_picture(store, line, picture)
            if free_bytes(self._output) - _LINE_BYTES < self._floor:
                raise StorageError(self._run, f"less than storage.floor_mb = {self._floor / 1e6:g} would stay free")
            log.append(line)
        except StorageError as exc:
            self._complain(f"its log is not written: {exc}")

    def _opened(self) -> tuple[LineFile, PictureStore]:
        """Opened with the first part: a run without parts has no folder. Raises StorageError."""
        if self._log is None or self._store is None:
            try:
                (self._run / SHADOW_PICTURES).mkdir(parents=True, exist_ok=True)
            except OSError as exc:
                raise StorageError(self._run, exc.strerror or "cannot be made") from exc
            store = PictureStore(self._output, self._budget, self._floor, kinds=(SHADOW_PICTURES,))
            log = LineFile(self._run / SHADOW_LOG)
            log.append(self._started)
            self._log, self._store = log, store
        return self._log, self._store

    def _with_picture(self, store: PictureStore, line: ShadowLine, picture: Picture) -> ShadowLine:
        """`line` naming its picture, once that lies on the disk; without one when there is no room."""
        name = f"{SHADOW_PICTURES}/{line.seq:08d}.png"
        try:
            inspected = picture if self._rectify is None else self._rectify(picture)
            store.write(self._run, name, encode_png(inspected), line.seq)
        except StorageError as exc:
            self._complain(f"pictures are not kept: {exc}")
            return line
        return msgspec.structs.replace(line, picture=name)

    def _complain(self, text: str) -> None:
        """Once for each of the two."""
        kind = text.partition(":")[0]
        if kind not in self._told:
            self._told.add(kind)
            self._tell(text)


def _line(look: Look, inspection: Inspection | None, reason: str) -> ShadowLine:
    """Judged as the line judges what its own inspector says."""
    verdict = cause = None
    if inspection is not None:
        cause, reason = judge(inspection)
        verdict = Verdict.PASS if cause is Cause.OK else Verdict.REJECT
    found = () if inspection is None else inspection.detections
    return ShadowLine(
        seq=look.seq,
        verdict=verdict,
        cause=cause,
        reason=reason,
        detections=tuple(LoggedDetection(*msgspec.structs.astuple(one)) for one in found if is_finite(one)),
        line_verdict=look.verdict,
        line_cause=look.cause,
        picture=None,
        busy=look.busy,
        absent=look.absent,
    )
