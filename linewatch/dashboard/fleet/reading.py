"""A station's metrics as a reading: strictly what the page needs, or why that is not in there."""

import math
from dataclasses import dataclass

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from linewatch.dashboard.fleet.trouble import NONSENSE, OTHER_VERSION, WRONG_ADDRESS, Trouble

OURS = "linewatch_"
_NEEDED = ("linewatch_station_info", "linewatch_state", "linewatch_heartbeat_age_seconds", "linewatch_shift_parts")
_LONGEST = 80  # characters of anything that a station says of itself


@dataclass(frozen=True)
class Reading:
    """One station at one moment. state: the word of its own page. *_limit: none without one. Rates in 0 .. 1.

    last_age_s: since the last decision, none before the first. passed, defects, doubts: of the shift.
    """

    station: str
    recipe: str
    model: str
    sha256: str
    version: str
    state: str
    heartbeat_age_s: float | None
    verdict: str
    cause: str
    last_age_s: float | None
    per_minute: float | None
    reject_rate: float | None
    reject_limit: float | None
    failsafe_rate: float | None
    failsafe_limit: float | None
    passed: int
    defects: int
    doubts: int
    alarms: tuple[str, ...]


def read(body: bytes) -> Reading:
    """The reading in a Prometheus text. Raises Trouble."""
    families = _parsed(body)
    if not any(name.startswith(OURS) for name in families):
        raise Trouble(WRONG_ADDRESS, "its metrics are not a linewatch station's")
    build = _labels(families, "linewatch_build_info")
    missing = [name for name in _NEEDED if name not in families or not families[name].samples]
    if missing:
        version = build.get("version", "an older one")
        raise Trouble(OTHER_VERSION, f"it is linewatch {version}, whose metrics have no {missing[0]}")
    use, last = _labels(families, "linewatch_station_info"), _labels(families, "linewatch_last_verdict")
    shift = {labels.get("outcome"): value for labels, value in _samples(families, "linewatch_shift_parts")}
    return Reading(
        station=use.get("station", ""),
        recipe=use.get("recipe", ""),
        model=use.get("model", ""),
        sha256=use.get("sha256", ""),
        version=build.get("version", ""),
        state=_labels(families, "linewatch_state").get("state", ""),
        heartbeat_age_s=_value(families, "linewatch_heartbeat_age_seconds"),
        verdict=last.get("verdict", ""),
        cause=last.get("cause", ""),
        last_age_s=_value(families, "linewatch_last_decision_age_seconds"),
        per_minute=_value(families, "linewatch_parts_per_minute"),
        reject_rate=_value(families, "linewatch_reject_ratio"),
        reject_limit=_value(families, "linewatch_reject_ratio_limit"),
        failsafe_rate=_value(families, "linewatch_failsafe_ratio"),
        failsafe_limit=_value(families, "linewatch_failsafe_ratio_limit"),
        passed=_count(shift.get("pass")),
        defects=_count(shift.get("defect")),
        doubts=_count(shift.get("doubt")),
        alarms=tuple(labels.get("alarm", "") for labels, value in _samples(families, "linewatch_alarm") if value),
    )


def _parsed(body: bytes) -> dict[str, Metric]:
    try:
        text = body.decode("utf-8")
        return {family.name: family for family in text_string_to_metric_families(text)}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as exc:  # whatever the parser stumbles over
        raise Trouble(NONSENSE, "what it answers are no metrics") from exc


def _samples(families: dict[str, Metric], name: str) -> list[tuple[dict[str, str], float]]:
    family = families.get(name)
    if family is None:
        return []
    return [({k: v[:_LONGEST] for k, v in s.labels.items()}, float(s.value)) for s in family.samples]


def _labels(families: dict[str, Metric], name: str) -> dict[str, str]:
    return next((labels for labels, value in _samples(families, name) if value), {})


def _value(families: dict[str, Metric], name: str) -> float | None:
    """The first sample; none for infinity and for what is no number, which JSON cannot say either."""
    value = next((value for _, value in _samples(families, name)), math.nan)
    return value if math.isfinite(value) else None


def _count(value: float | None) -> int:
    return max(0, round(value)) if value is not None and math.isfinite(value) else 0
