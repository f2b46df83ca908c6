"""The station file: every error names file, key, value and reason; nothing is guessed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from linewatch.core.errors import StationError
from linewatch.core.station import load_station

GOOD: dict[str, Any] = {
    "name": "t1",
    "gate": {"kind": "framed", "port": "/dev/ttyUSB0"},
    "camera": {"kind": "simulated"},
    "detector": {"kind": "dsmoe", "model": "models/x"},
    "acceptance": [{"class": "*"}],
    "rejecter": {"transport_ms": 1000},
}


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "stations" / "t1.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({key: value for key, value in {**GOOD, **changes}.items() if value is not None}))
    return path


def test_relative_paths_are_taken_from_the_site_folder(tmp_path: Path) -> None:
    station = load_station(write(tmp_path))
    assert station.detector.model == tmp_path / "models/x"
    assert station.storage.output == tmp_path / "runs"
    assert station.eject_delay_ms == 980.0


def test_the_rejecter_may_be_given_by_its_delay(tmp_path: Path) -> None:
    station = load_station(write(tmp_path, rejecter={"delay_ms": 880, "reaction_ms": 30, "encoder_counts": 5000}))
    assert (station.eject_delay_ms, station.rejecter.transport_ms) == (880.0, 910.0)
    assert station.rejecter.encoder_counts == 5000


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"colour": "red"}, "colour: 'red': unknown key"),
        ({"gate": {"kind": "framed"}}, "gate.port"),
        ({"gate": {"kind": "telepathy", "port": "x"}}, "telepathy"),
        ({"name": "Bad Name"}, "name: 'Bad Name'"),
        ({"acceptance": []}, "acceptance"),
        ({"line": {"deadline_ms": 990}}, "exceeds rejecter.transport_ms"),
        ({"line": {"deadline_ms": -1}}, "line.deadline_ms: -1"),
        ({"rejecter": None}, "rejecter: Field required"),
        ({"rejecter": {"reaction_ms": 20}}, "rejecter: either transport_ms or delay_ms must be given"),
        ({"rejecter": {"transport_ms": 900, "delay_ms": 880}}, "rejecter: either transport_ms or delay_ms"),
        ({"rejecter": {"transport_ms": 0}}, "rejecter.transport_ms: 0"),
        ({"rejecter": {"delay_ms": 99, "encoder_counts": 500}}, "exceeds rejecter.transport_ms = 119 ms"),
        ({"rejecter": {"delay_ms": 900, "encoder_counts": 0}}, "rejecter.encoder_counts: 0"),
        ({"rejecter": {"encoder_counts": 500}}, "rejecter: either transport_ms or delay_ms must be given, also beside"),
        (
            {"rejecter": {"delay_ms": 900, "encoder_counts": 5}, "gate": {"kind": "edge", "port": "x"}},
            "rejecter.encoder_counts needs a framed gate that says them, not 'edge'",
        ),
        ({"acceptance": [{"class": "chip", "min_size_mm": 1}]}, "needs mm_per_px or calibration"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(StationError) as error:
        load_station(path)
    assert str(path) in str(error.value)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "{unclosed: [", "just words"])
def test_no_station_at_all(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(StationError, match=r"s\.yaml"):
        load_station(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StationError, match=r"none\.yaml: No such file"):
        load_station(tmp_path / "none.yaml")
