"""Whatever a station file holds, it is a station or a StationError of one line."""

import copy
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linewatch.core.errors import StationError
from linewatch.core.station import Station, load_station, parse_station, station_errors

WHOLE: dict[str, Any] = {
    "name": "t1",
    "gate": {"kind": "edge", "port": "/dev/ttyUSB0", "line": "cts", "debounce_ms": 5.0},
    "light": {"kind": "none"},
    "camera": {"kind": "folder", "path": "p", "width": 8, "height": 8},
    "detector": {"kind": "dsmoe", "model": "models/x", "max_batch": 2},
    "calibration": "calibration/c/2026-01-01",
    "exposure": {"min_mean": 1.0},
    "focus": {"min_sharpness": 0.01},
    "acceptance": [{"class": "*", "min_size_mm": 1.0, "zone": {"kind": "box", "box": [0, 0, 1, 1]}}],
    "line": {"deadline_ms": 100.0},
    "rejecter": {"transport_ms": 1000},
    "endpoints": {"observers": "tcp://*:5551", "plaintext": ""},
    "security": {"folder": "keys"},
    "storage": {"budget_mb": 10},
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates() | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text(max_size=8), inner, max_size=3),
)
WORDS = st.sampled_from([*WHOLE, "kind", "framed", ":", "- ", "\n", " ", "{", "}", "[", "]", "&a ", "*a", "!!", "? "])
PIECES = WORDS | st.sampled_from(
    ["!!python/object:os.system ", "!!int ", "!!timestamp ", "2026-99-99", "0b", "<<: ", "#"]
)


def read(document: object, path: Path = Path("stations/s.yaml")) -> Station | None:
    """The station, none after a StationError of one line; anything else fails the test."""
    errors = station_errors(document, path)
    for error in errors:
        assert str(error).startswith(str(path))
        assert "\n" not in str(error)
    try:
        station = parse_station(document, path)
    except StationError:
        assert errors
        return None
    assert not errors
    return station


@given(VALUES)
def test_any_document(document: object) -> None:
    assert read(document) is None


@given(st.data(), VALUES)
def test_a_whole_station_with_one_value_exchanged(data: st.DataObject, value: object) -> None:
    document = copy.deepcopy(WHOLE)
    place: Any = document
    while True:
        key = data.draw(st.sampled_from(range(len(place)) if isinstance(place, list) else list(place)))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = value
    station = read(document)
    if station is not None:
        assert math.isfinite(station.line.deadline_ms)
        assert math.isfinite(station.eject_delay_ms)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=80)).map(str.encode) | st.binary())
def test_any_file(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(text)
    with pytest.raises(StationError) as error:
        load_station(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "text",
    ["[" * 1200, "{a: " * 1200, "&a [*a]", "2026-99-99", "a: 2026-02-30", "!!int x", "!!float x", "!!binary 'x'", "\0",
     "!!python/object/apply:os.system ['true']", "a: &a [*a, *a]\nname: *a", "!!timestamp x", "? [a]\n: b", "0x"],
)  # fmt: skip
def test_hostile_yaml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StationError):
        load_station(path)


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf"])
@pytest.mark.parametrize("key", ["line: {deadline_ms", "rejecter: {transport_ms", "storage: {budget_mb"])
def test_numbers_that_are_none_are_refused(tmp_path: Path, number: str, key: str) -> None:
    path = tmp_path / "s.yaml"
    section = key.split(":")[0]
    rest = yaml.safe_dump({name: value for name, value in WHOLE.items() if name != section})
    path.write_text(f"{rest}{key}: {number}}}\n")
    with pytest.raises(StationError, match=section):
        load_station(path)
