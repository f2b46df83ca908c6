"""`linewatch check`: every error, not only the first, before the line starts."""

import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linewatch.actuators.client import Client
from linewatch.check import devices, machine
from linewatch.check.answers import Answer, Finding
from linewatch.check.detector import detector_speed
from linewatch.check.station import check
from linewatch.cli import main
from linewatch.core.station import load_station
from linewatch.line.runtime import lock, private_folder
from linewatch.pictures.write import write_png
from linewatch.sim.gate import VirtualGate

WriteStation = Callable[..., Path]
EDGE = {"kind": "edge", "port": "gate"}


def test_a_station_that_would_run(write_station: WriteStation, capsys: pytest.CaptureFixture[str]) -> None:
    with VirtualGate() as gate:
        station = write_station(gate={"kind": "framed", "port": gate.path}, light={"kind": "serial_command"})
        assert main(["check", str(station)]) == 0
        assert gate.flashes
    said = capsys.readouterr()
    assert "error: " not in said.err
    assert said.err.count("no actuator asked to register within 1 s") == 1
    assert f"{station}: 0 errors, " in said.out
    parts = {line.removeprefix("ok: ").partition(":")[0] for line in said.out.splitlines() if line.startswith("ok: ")}
    assert parts >= {"gate", "light", "camera", "detector", "disk", "frame ring"}
    assert "camera: 5 of 5 pictures are 64 x 64" in said.out
    assert "ms a part" in said.out


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
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
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
    assert [finding.is_warning for finding in check(station)] == [False]
    assert main(["check", "--offline", str(station)]) == 0
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("warning: /dev/ttyNONE0: does not exist")


def test_a_scale_that_contradicts_the_calibration_is_a_warning(write_station: WriteStation, tmp_path: Path) -> None:
    folder = tmp_path / "calibration"
    folder.mkdir()
    (folder / "calibration.yaml").write_text("{camera: c, date: 2026-11-22, size_px: [64, 64], mm_per_px: 0.2}\n")
    with VirtualGate() as gate:
        station = write_station(gate={"kind": "framed", "port": gate.path}, calibration="calibration", mm_per_px=0.1)
        (found,) = check(station)
    assert found.is_warning
    assert "mm_per_px: 0.1: the calibration's 0.2 is used" in str(found.error)


def test_a_network_that_is_slower_than_the_deadline_is_said(write_station: WriteStation) -> None:
    station = load_station(write_station(line={"deadline_ms": 0.1, "max_capture_ms": 0.1, "min_gap_ms": 0}, gate=EDGE))
    answer, finding = detector_speed(station)
    assert isinstance(answer, Answer) and isinstance(finding, Finding)
    assert not finding.is_warning
    assert "ms a part leaves too little of line.deadline_ms = 0.1" in str(finding.error)


def test_a_camera_that_is_slower_than_the_deadline_or_of_another_size_is_said(
    write_station: WriteStation, tmp_path: Path
) -> None:
    line = {"deadline_ms": 0.001, "max_capture_ms": 0.001}
    (tmp_path / "frames").mkdir()
    write_png(tmp_path / "frames/1.png", np.zeros((48, 64), np.uint8))
    folder = {"kind": "folder", "path": str(tmp_path / "frames"), "width": 64, "height": 48}
    good, late = devices.camera(load_station(write_station(line=line, camera=folder, gate=EDGE)))
    assert str(good).startswith("camera: 1 of 1 pictures are 64 x 48")
    assert isinstance(late, Finding) and "ms from trigger to picture; line.deadline_ms" in str(late.error)
    (wrong,) = devices.camera(load_station(write_station(camera={**folder, "width": 640})))
    assert isinstance(wrong, Finding) and "the station says 640 x 48" in str(wrong.error)


def test_the_rejecter_that_asks_to_register_is_named(
    write_station: WriteStation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="lw") as short:
        monkeypatch.setenv("RUNTIME_DIRECTORY", short)
        station = load_station(write_station())
        with Client(f"ipc://{short}/t/actuators.sock", "t", "blow-1") as client:
            heard: list[object] = []
            done = threading.Event()

            def act() -> None:
                while not done.is_set():
                    heard.extend(client.receive(20))

            acting = threading.Thread(target=act)
            acting.start()
            (found,) = devices.rejecter(station)
            assert client.reject_all  # it was heard, and not told that it may trust anything
            done.set()
            acting.join()
    assert str(found) == f"rejecter: blow-1 wants to register at ipc://{short}/t/actuators.sock"
    assert heard == []


def test_a_running_line_is_not_disturbed(write_station: WriteStation, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="lw") as short:
        monkeypatch.setenv("RUNTIME_DIRECTORY", short)
        station = load_station(write_station())
        with lock(private_folder(Path(short) / "t")):
            (found,) = devices.rejecter(station)
    assert isinstance(found, Finding) and "another linewatch" in str(found.error)


def test_disk_memory_and_clock_answer_or_are_doubted(write_station: WriteStation) -> None:
    station = load_station(write_station(storage={"output": "runs", "floor_mb": 10**9}))
    doubt, answer, *_ = machine.disk(station)
    assert isinstance(doubt, Finding) and doubt.is_warning and "less than storage.floor_mb" in str(doubt.error)
    assert isinstance(answer, Answer) and "MB/s" in str(answer)
    big = {"kind": "folder", "path": ".", "width": 1_000_000, "height": 1_000_000}
    *_, ring = machine.memory(load_station(write_station(camera=big)))
    assert isinstance(ring, Finding) and not ring.is_warning and "the frame ring needs" in str(ring.error)
    assert len(list(machine.clock())) == 2


def test_a_rule_of_retention_for_a_class_that_the_model_lacks_is_warned_of(write_station: WriteStation) -> None:
    rules = [{"class": "crack"}, {"class": "chip"}, {"cause": "timeout"}, {"class": "*"}]
    with VirtualGate() as gate:
        station = write_station(gate={"kind": "framed", "port": gate.path}, storage={"retention": rules})
        (found,) = check(station)
    assert found.is_warning
    assert "storage.retention.1.class: 'chip': the model has no such class, only crack, stone" in str(found.error)
