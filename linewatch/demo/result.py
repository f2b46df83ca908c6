"""Everything that is known of a run once it is over, put together from what the witnesses wrote down."""

from dataclasses import dataclass
from pathlib import Path

from linewatch.core.messages import Cause
from linewatch.core.station import Station
from linewatch.demo.accounting import Account, balance, outcomes
from linewatch.demo.books import Witnesses
from linewatch.demo.boxes import Box, BoxTally, rejecting_boxes, tally_boxes, true_boxes
from linewatch.demo.figures import Latency, Speed, latency
from linewatch.demo.memory import Memory
from linewatch.demo.standing import decision_ms
from linewatch.demo.station_file import simulated_camera
from linewatch.demo.truth import Judgement, judge


@dataclass(frozen=True)
class Conditions:
    """Under which the line ran. speed: as the warm-up found it. inspector: what it had loaded, in its own words.

    warm_up: the account of the warm-up's parts, which are in no other figure; none when this run is the warm-up.
    """

    station: Station
    folder: Path
    pace_per_min: int
    seconds: float
    inspector: str
    memory: Memory | None
    speed: Speed | None
    warm_up: Account | None


@dataclass(frozen=True)
class Part:
    """One part in the summary. truth: the classes of its defects."""

    seq: int
    truth: tuple[str, ...]
    verdict: str
    cause: str
    label: str
    score: float
    latency_ms: float


@dataclass(frozen=True)
class Result:
    """A run, accounted for and judged."""

    conditions: Conditions
    witnesses: Witnesses
    account: Account
    judgement: Judgement
    boxes: dict[str, BoxTally]
    latency: Latency
    parts: tuple[Part, ...]

    @property
    def holds(self) -> bool:
        """Whether every part is accounted for, in the warm-up too."""
        warm_up = self.conditions.warm_up
        return self.account.holds and (warm_up is None or warm_up.holds)


def assess(witnesses: Witnesses, conditions: Conditions) -> Result:
    """Compare the books with each other and the verdicts with the truth."""
    answers = outcomes(witnesses.books)
    camera = simulated_camera(conditions.station)
    truth = {seq: true_boxes(camera.seed, camera.defect_rate, camera.width, seq) for seq in answers}
    classes = {seq: frozenset(box.label for box in boxes) for seq, boxes in truth.items()}
    return Result(
        conditions=conditions,
        witnesses=witnesses,
        account=balance(witnesses.fired, witnesses.books),
        judgement=judge(answers, classes),
        boxes=_boxes(witnesses, truth),
        latency=latency([decision_ms(decision) for decision in witnesses.wire]),
        parts=_parts(witnesses, classes),
    )


def _boxes(witnesses: Witnesses, truth: dict[int, list[Box]]) -> dict[str, BoxTally]:
    """Of the parts that were inspected: a part rejected in doubt has no boxes to judge."""
    inspected = (line for line in witnesses.log if line.cause in (Cause.OK, Cause.DEFECT))
    return tally_boxes((truth[line.seq], rejecting_boxes(line)) for line in inspected)


def _parts(witnesses: Witnesses, classes: dict[int, frozenset[str]]) -> tuple[Part, ...]:
    return tuple(
        Part(
            seq=one.seq,
            truth=tuple(sorted(classes[one.seq])),
            verdict=one.verdict.value,
            cause=one.cause.value,
            label=one.label,
            score=one.score,
            latency_ms=round(decision_ms(one), 3),
        )
        for one in sorted(witnesses.wire, key=lambda one: one.seq)
    )
