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

BASLER = {"kind": "basler", "width": 640, "height": 480}
WEBCAM = {"kind": "opencv", "source": "/dev/video0", "width": 640, "height": 480}


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
        (
            {"camera": WEBCAM, "line": {"max_capture_ms": 901}},
            "line.max_capture_ms = 901 ms must be at most 900 ms: a camera silent for 1000 ms is taken for dead",
        ),
        (
            {"camera": {**BASLER, "transfer_ms": 861}},
            "line.max_capture_ms + camera.transfer_ms = 901 ms must be at most 900 ms: a camera silent for 1000 ms",
        ),
        (
            {"camera": {**BASLER, "transfer_ms": 1161}, "line": {"deadline_ms": 400}},
            "camera.transfer_ms = 1201 ms must be at most 1100 ms: a camera silent for 1200 ms",
        ),
        ({"camera": {**BASLER, "exposure_us": 100_000}}, "camera.exposure_us = 100000 us is not over by line.deadline"),
        (
            {"camera": {**BASLER, "exposure_us": 80_000, "transfer_ms": 40}},
            "camera.exposure_us = 80000 us is not over when the frame is given up, after line.max_capture_ms + camera",
        ),
        ({"camera": {**WEBCAM, "exposure_us": 100_000}}, "camera.exposure_us = 100000 us is not over by line.deadline"),
        (
            {"gate": {"kind": "edge", "port": "x", "debounce_ms": 20}},
            "gate.debounce_ms = 20 ms must be less than line.min_gap_ms = 20 ms",
        ),
        (
            {"light": {"kind": "serial_command", "duration_us": 20_000}},
            "light.duration_us = 20000 us must be less than line.min_gap_ms = 20 ms",
        ),
        (
            {"gate": {"kind": "framed", "port": "x", "baud": 4800}},
            "gate.baud = 4800: the message of a part takes 62 ms",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    path = write(tmp_path, **changes)
    with pytest.raises(StationError) as error:
        load_station(path)
    assert str(path) in str(error.value)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_times_that_just_hold_are_taken_and_all_that_do_not_are_named(tmp_path: Path) -> None:
    at_the_limit = {"line": {"max_capture_ms": 100}, "camera": {**BASLER, "transfer_ms": 800, "exposure_us": 99_999}}
    assert load_station(write(tmp_path, **at_the_limit)).line.max_capture_ms == 100
    no_gap = {"line": {"min_gap_ms": 0}, "gate": {"kind": "edge", "port": "x", "debounce_ms": 50}}
    assert load_station(write(tmp_path, **no_gap)).line.min_gap_ms == 0
    both = {"line": {"deadline_ms": 990, "max_capture_ms": 3000}, "camera": WEBCAM}
    with pytest.raises(StationError, match=r"exceeds rejecter\.transport_ms.*; line\.max_capture_ms = 3000 ms must be"):
        load_station(write(tmp_path, **both))


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "{unclosed: [", "just words"])
def test_no_station_at_all(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(StationError, match=r"s\.yaml"):
        load_station(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StationError, match=r"none\.yaml: No such file"):
        load_station(tmp_path / "none.yaml")
