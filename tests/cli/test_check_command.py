"""`linewatch check`: every error, not only the first, before the line starts."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from linewatch.check.station import check
from linewatch.cli import main
from linewatch.sim.gate import VirtualGate

WriteStation = Callable[..., Path]


def test_a_station_that_would_run(write_station: WriteStation, capsys: pytest.CaptureFixture[str]) -> None:
    with VirtualGate() as gate:
        station = write_station(gate={"kind": "framed", "port": gate.path})
        assert main(["check", str(station)]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "0 errors, 0 warnings" in said.out


@pytest.mark.parametrize(("held", "warnings"), [("16", 1), ("1", 0), ("nonsense", 0)])
def test_an_adapter_that_holds_triggers_back_is_warned_of(
    write_station: WriteStation, tmp_path: Path, held: str, warnings: int
) -> None:
    with VirtualGate() as gate:
        setting = tmp_path / "usb-serial" / Path(gate.path).name / "latency_timer"
        setting.parent.mkdir(parents=True)
        setting.write_text(f"{held}\n")
        station = write_station(gate={"kind": "framed", "port": gate.path})
        found = check(station, usb_serial=tmp_path / "usb-serial")
    assert [finding.is_warning for finding in found] == [True] * warnings
    assert all(str(finding.error).startswith(f"{setting}: 16:") for finding in found)


def test_every_error_of_the_file_is_said(write_station: WriteStation, capsys: pytest.CaptureFixture[str]) -> None:
    station = write_station(colour="red", line={"deadline_ms": -3}, gate={"kind": "framed", "prot": "x"})
    assert main(["check", str(station)]) == 3
    said = capsys.readouterr().err
    for named in ("colour: 'red': unknown key", "line.deadline_ms: -3", "gate.port: Field required", "gate.prot: 'x'"):
        assert f"error: {station}: {named}" in said


def test_every_error_behind_the_file_is_said(
    write_station: WriteStation, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    (copy / "weights.safetensors").unlink()
    (tmp_path / "file").touch()
    station = write_station(
        gate={"kind": "framed", "port": "/dev/ttyNONE0"},
        camera={"kind": "folder", "path": "absent", "width": 64, "height": 64},
        detector={"model": str(copy), "device": "cpu"},
        calibration="calibration/none/2026-01-01",
        acceptance=[{"class": "chip"}, {"class": "*", "zone": {"kind": "ring", "inner": 0.5, "outer": 0.2}}],
        endpoints={"observers": "tcp://0.0.0.0:5599"},
        storage={"output": "file/runs", "audit_key": "keys/audit.key"},
    )
    assert main(["check", str(station)]) == 3
    lines = capsys.readouterr().err.splitlines()
    expected = [
        "copy/weights.safetensors: weights are missing",
        "acceptance.0.class: 'chip': the model has no such class",
        "acceptance.1.zone: inner 0.5 must be below outer 0.2",
        "calibration/none/2026-01-01/calibration.yaml: No such file",
        "endpoints.observers: 'tcp://0.0.0.0:5599'",
        "file/runs: cannot be written",
        "keys/audit.key: No such file",
        "/dev/ttyNONE0: does not exist",
        "absent: No such file",
    ]
    assert len(lines) == len(expected), lines
    for line, named in zip(lines, expected, strict=True):
        assert line.startswith("error: ")
        assert named in line


def test_absent_devices_are_warnings_offline(write_station: WriteStation, capsys: pytest.CaptureFixture[str]) -> None:
    station = write_station(gate={"kind": "framed", "port": "/dev/ttyNONE0"})
    assert main(["check", str(station)]) == 4
    assert main(["check", "--offline", str(station)]) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert first == second.replace("warning: ", "error: ")


def test_a_scale_that_contradicts_the_calibration_is_a_warning(
    write_station: WriteStation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "calibration"
    folder.mkdir()
    (folder / "calibration.yaml").write_text("{camera: c, date: 2026-11-22, size_px: [64, 64], mm_per_px: 0.2}\n")
    with VirtualGate() as gate:
        station = write_station(gate={"kind": "framed", "port": gate.path}, calibration="calibration", mm_per_px=0.1)
        assert main(["check", str(station)]) == 0
    assert "warning: " in (said := capsys.readouterr().err)
    assert "mm_per_px: 0.1: the calibration's 0.2 is used" in said
