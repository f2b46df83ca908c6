"""`init`: asks, writes a station file that explains itself and passes `check`, and never overwrites one."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from linewatch.cli.app import app
from linewatch.core.commented import commented
from linewatch.core.errors import LinewatchError, ModelError, StationError, StorageError
from linewatch.core.station import Station, load_station, parse_station

MODELS = Path(__file__).parents[2] / "models"


def init(path: Path, *options: str, typed: str = "") -> str:
    given = ["--gate", "framed", "--port", "/dev/null", "--model", str(MODELS / "bottle-bottom")]
    times = ["--deadline-ms", "90", "--transport-ms", "300", "--reaction-ms", "20"]
    ended = CliRunner().invoke(app, ["init", str(path), *given, *times, *options], input=typed)
    if ended.exception is not None and isinstance(ended.exception, LinewatchError):
        raise ended.exception
    return ended.output


def test_what_it_writes_passes_check_and_says_what_was_asked(tmp_path: Path) -> None:
    path = tmp_path / "stations/line-3.yaml"
    said = init(path, "--camera", "opencv", typed="/dev/video7\n1600x1200\n")
    assert "Device or stream" in said and "0 errors" in said
    station = load_station(path)
    assert (station.name, station.line.deadline_ms, station.rejecter.transport_ms) == ("line-3", 90, 300)
    assert station.camera.kind == "opencv" and (station.camera.source, station.camera.width) == ("/dev/video7", 1600)
    assert station.acceptance[0].min_score == 0.302  # the model's own threshold


def test_every_key_stands_in_it_with_its_description(tmp_path: Path) -> None:
    path = tmp_path / "stations/all.yaml"
    init(path, "--camera", "simulated")
    text = path.read_text()
    for section in Station.model_fields:
        assert f"{section}:" in text
    for words in (
        "trigger to decision; later is REJECT(timeout)",
        "free space that is never touched",
        "#   baud: 115200",
    ):
        assert words in text


def test_a_default_without_its_hash_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "stations/edit.yaml"
    init(path, "--camera", "simulated")
    text = path.read_text()
    opened = text.replace("# storage:", "storage:").replace("#   budget_mb: 2048.0", "  budget_mb: 99.0")
    assert opened != text
    path.write_text(opened)
    assert load_station(path).storage.budget_mb == 99


def test_what_is_written_is_what_was_meant() -> None:
    document = {
        "name": "x",
        "gate": {"kind": "edge", "port": "/dev/ttyS0", "line": "dcd"},
        "camera": {"kind": "folder", "path": "frames: all #1", "width": 64, "height": 32},
        "detector": {"model": "models/x"},
        "acceptance": [{"class": "*", "min_score": 0.25}, {"class": "chip", "min_size_px": 4, "effect": "warn"}],
        "rejecter": {"delay_ms": 500},
    }
    station = Station.model_validate(document)
    import yaml

    again = yaml.safe_load(commented(station, "x"))
    assert parse_station(again, Path("/x.yaml")) == parse_station(document, Path("/x.yaml"))


def test_nothing_is_overwritten_and_wrong_answers_write_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine")
    with pytest.raises(StorageError, match="is there already"):
        init(path, "--camera", "simulated")
    assert path.read_text() == "mine"
    other = tmp_path / "other.yaml"
    with pytest.raises(StationError, match="parts would pass the rejecter undecided"):
        init(other, "--camera", "simulated", "--transport-ms", "50")
    with pytest.raises(ModelError):
        init(other, "--camera", "simulated", "--model", "models/none")
    assert "WIDTHxHEIGHT" in init(other, "--camera", "basler", "--size", "big")
    assert not other.exists()
