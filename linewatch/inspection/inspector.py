"""The chain from sensor pixels to an inspection; the live process and replay run this same code."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from linewatch.core.clock import Clock
from linewatch.core.errors import LinewatchError
from linewatch.core.messages import Cause, Detection, Inspection
from linewatch.core.station import Station
from linewatch.inspection.acceptance import Acceptance, Judgement
from linewatch.inspection.detector import Detector
from linewatch.inspection.quality import Doubt, check_exposure, check_focus, check_size
from linewatch.pictures.calibration import load_station_calibration
from linewatch.pictures.rectify import Rectifier
from linewatch.pictures.types import Picture, Rectify

KEPT_SCORE = 0.1  # ignored detections below are noise and go into no record
_MOST_TOLD = 100  # different failures of the network that are logged with their traceback

log = structlog.get_logger()


@dataclass(frozen=True)
class Part:
    """One part as the camera saw it: its sensor picture, or why there is none."""

    seq: int
    picture: Picture | Doubt


class Inspector:
    """Rectify, check, detect, judge. Whatever fails becomes the cause of the parts concerned and of no other."""

    def __init__(
        self, station: Station, detector: Detector, rectify: Rectify, acceptance: Acceptance, clock: Clock
    ) -> None:
        self._station = station
        self._detector = detector
        self._rectify = rectify
        self._acceptance = acceptance
        self._clock = clock
        self._told: set[str] = set()

    @property
    def largest_batch(self) -> int:
        """Most parts that one call of `inspect` may bring."""
        return self._detector.batch_sizes[-1]

    def inspect(self, parts: Sequence[Part]) -> list[Inspection]:
        """One inspection for each part, in their order."""
        pictures = [self._prepare(part.picture) for part in parts]
        good = [picture for picture in pictures if not isinstance(picture, Doubt)]
        judged = iter(self._judge(good))
        results = [
            Judgement(picture.cause, reason=picture.reason) if isinstance(picture, Doubt) else next(judged)
            for picture in pictures
        ]
        return [self._inspection(part.seq, result, len(good)) for part, result in zip(parts, results, strict=True)]

    def _prepare(self, picture: Picture | Doubt) -> Picture | Doubt:
        if isinstance(picture, Doubt):
            return picture
        doubt = check_size(picture, self._station.camera)
        if doubt is not None:
            return doubt
        try:
            rectified = self._rectify(picture)
        except LinewatchError as exc:
            return Doubt(Cause.INCOMPLETE_FRAME, str(exc))
        station = self._station
        return check_exposure(rectified, station.exposure) or check_focus(picture, station.focus) or rectified

    def _judge(self, pictures: Sequence[Picture]) -> list[Judgement]:
        if not pictures:
            return []
        try:
            found = self._detector.detect(pictures)
            return [
                self._acceptance.judge(detections, picture.shape[1], picture.shape[0])
                for picture, detections in zip(pictures, found, strict=True)
            ]
        except Exception as exc:  # noqa: BLE001 - whatever a network raises, its parts are rejected and the line goes on
            reason = _one_line(exc)
            self._tell(reason)
            return [Judgement(Cause.MODEL_ERROR, reason=reason)] * len(pictures)

    def _tell(self, reason: str) -> None:
        """Log a failure of the network with its traceback, the first time: a broken one fails alike on every part."""
        if reason not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(reason)
            log.exception("model_error")

    def _inspection(self, seq: int, result: Judgement, batch: int) -> Inspection:
        return Inspection(
            seq=seq,
            cause=result.cause,
            detections=_kept(result.detections),
            reason=result.reason,
            batch=batch,
            t_done_ns=self._clock.now_ns(),
        )


def assemble(station: Station, detector: Detector, clock: Clock, where: object) -> Inspector:
    """The inspector of `station` around `detector`. where: the station file, named in errors.

    Raises StationError when the acceptance criteria do not fit the model, CalibrationError.
    """
    calibration = load_station_calibration(station)
    mm_per_px = station.mm_per_px if calibration is None else calibration.mm_per_px
    acceptance = Acceptance(station.acceptance, detector.classes, mm_per_px, where)
    return Inspector(station, detector, _raw if calibration is None else Rectifier(calibration), acceptance, clock)


def _raw(picture: Picture) -> Picture:
    return picture


def _kept(detections: Sequence[Detection]) -> tuple[Detection, ...]:
    return tuple(d for d in detections if d.effect != "ignore" or d.score >= KEPT_SCORE)


def _one_line(exc: Exception) -> str:
    first = str(exc).strip().splitlines()[0] if str(exc).strip() else "no message"
    return f"{type(exc).__name__}: {first}"[:200]
