"""What the sequencer must know of a station, in nanoseconds."""

from dataclasses import dataclass, field

from linewatch.core.messages import Cause, Verdict
from linewatch.core.station import Station

MAX_IN_FLIGHT = 64  # parts between trigger and decision


@dataclass(frozen=True)
class Rules:
    """Names and times of one run. eject_delay_ms: trigger to blow. encoder_counts: gate to rejecter, when tracked."""

    station: str
    run: str
    deadline_ns: int
    max_capture_ns: int
    min_gap_ns: int
    eject_delay_ms: float
    max_in_flight: int = MAX_IN_FLIGHT
    encoder_counts: int | None = None
    reaction_ms: float = 0.0


@dataclass
class Counters:
    """What happened so far in this run. late: inspections or frames after the decision. extra: for no part at all."""

    triggers: int = 0
    decided: int = 0
    late: int = 0
    extra: int = 0
    verdicts: dict[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    causes: dict[Cause, int] = field(default_factory=lambda: dict.fromkeys(Cause, 0))


def rules_of(station: Station, run: str) -> Rules:
    """The rules of `station` for run `run`."""
    return Rules(
        station=station.name,
        run=run,
        deadline_ns=_ns(station.line.deadline_ms),
        max_capture_ns=_ns(station.line.max_capture_ms),
        min_gap_ns=_ns(station.line.min_gap_ms),
        eject_delay_ms=station.eject_delay_ms,
        encoder_counts=station.rejecter.encoder_counts,
        reaction_ms=station.rejecter.reaction_ms,
    )


def _ns(milliseconds: float) -> int:
    return round(milliseconds * 1e6)
