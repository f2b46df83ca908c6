"""Wrong input to the real command: one line that names path, value and reason, and an exit code of its own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq

from linewatch.sim.dataset import write_dataset
from linewatch.sim.gate import VirtualGate

Run = Callable[..., subprocess.CompletedProcess[str]]
WriteStation = Callable[..., Path]


def refused(done: subprocess.CompletedProcess[str], code: int, *named: object) -> None:
    """Assert that the command ended with `code` and said why in one line that holds all of `named`."""
    lines = done.stderr.splitlines()
    assert done.returncode == code, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("linewatch: ")
    assert all(str(name) in lines[0] for name in named), lines[0]


@pytest.mark.parametrize("wrong", [("run",), ("replay", ".", "--station"), ("record", "--output", "new")])
def test_station_file_that_is_not_there(run: Run, wrong: tuple[str, ...]) -> None:
    refused(run(*wrong, "nowhere.yaml"), 3, "nowhere.yaml: No such file")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"gate: [1, 2", "is not YAML"),
        (bytes(range(128, 256)) * 8, "is not YAML"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "is not YAML"),
        (b"just words", "must be a YAML mapping"),
        (b"", "must be a YAML mapping"),
    ],
)
def test_station_file_that_is_none(run: Run, tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "s.yaml").write_bytes(content)
    refused(run("run", "s.yaml"), 3, "s.yaml:", reason)


def test_unknown_key_in_a_station_file(run: Run, write_station: WriteStation) -> None:
    station = write_station(line={"deadline_ms": 100, "dead_line": 7})
    refused(run("run", station), 3, f"{station}: line.dead_line: 7: unknown key")


def test_unknown_key_in_a_training_configuration(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "train.yaml"
    config.write_text(
        "model: m\nclasses: [a]\nproduct: p\nlicence: l\ndata: {sources: [{annotations: a.json}]}\nlr: 1\n"
    )
    refused(run("train", config), 3, config, "lr", "unknown key")


def test_serial_port_that_does_not_exist(run: Run, write_station: WriteStation) -> None:
    station = write_station(gate={"kind": "framed", "port": "/dev/ttyNONE0"})
    refused(run("run", station), 4, "/dev/ttyNONE0: does not exist")


def test_serial_port_that_is_a_file(run: Run, write_station: WriteStation, tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    refused(
        run("run", write_station(gate={"kind": "framed", "port": str(tmp_path / "f")})),
        4,
        tmp_path / "f",
        "no serial port",
    )


def test_endpoint_that_is_taken(run: Run, write_station: WriteStation) -> None:
    with VirtualGate() as gate, zmq.Context() as context, context.socket(zmq.XPUB) as other:
        port = other.bind_to_random_port("tcp://127.0.0.1")
        endpoint = f"tcp://127.0.0.1:{port}"
        station = write_station(gate={"kind": "framed", "port": gate.path}, endpoints={"observers": endpoint})
        refused(run("run", station), 4, f"{endpoint}: is taken by another program")


def test_endpoint_that_strangers_could_reach(run: Run, write_station: WriteStation) -> None:
    with VirtualGate() as gate:
        station = write_station(
            gate={"kind": "framed", "port": gate.path}, endpoints={"actuators": "tcp://0.0.0.0:5599"}
        )
        refused(run("run", station), 3, "endpoints.actuators: 'tcp://0.0.0.0:5599'", "plaintext")


def test_output_below_a_file(run: Run, write_station: WriteStation, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(run("render", "--count", "1", "--output", "file/below"), 5, "file/below")
    refused(
        run("evaluate", "--model", "m", "--annotations", "a", "--output", "file/x.json"),
        5,
        "file/x.json: cannot be written",
    )


def test_replay_of_nothing(run: Run, write_station: WriteStation, tmp_path: Path) -> None:
    station = write_station()
    (tmp_path / "empty").mkdir()
    refused(run("replay", "empty", "--station", station), 5, "empty: holds no picture")
    refused(run("replay", "absent", "--station", station), 5, "absent")
    assert not (tmp_path / "runs").exists()


def test_missing_and_damaged_weights(run: Run, write_station: WriteStation, tmp_path: Path, model: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    list(write_dataset(pictures, seed=0, count=1, size_px=64))
    for damage, reason in ((None, "weights are missing"), (b"cut short", "sha256")):
        copy = tmp_path / f"model-{reason[:3]}"
        copy.mkdir()
        (copy / "model.yaml").write_bytes((model / "model.yaml").read_bytes())
        if damage is not None:
            (copy / "weights.safetensors").write_bytes(damage)
        station = write_station(detector={"model": str(copy), "device": "cpu"})
        refused(run("replay", pictures / "images", "--station", station), 3, copy / "weights.safetensors", reason)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["fly"], "fly"),
        (["run"], "STATION"),
        (["run", "s.yaml", "--fast"], "--fast"),
        (["run", "s.yaml", "more"], "more"),
        (["replay", ".", "--station", "s.yaml", "--limit", "0"], "--limit: '0'"),
        (["replay", ".", "--station", "s.yaml", "--limit", "some"], "--limit: 'some'"),
        (["replay", ".", "--station", "s.yaml", "--pace", "slow"], "--pace: 'slow'"),
        (["demo", "--seconds", "0"], "--seconds: '0'"),
        (["demo", "--defect-rate", "2"], "--defect-rate: '2'"),
        (["evaluate", "--model", "m", "--annotations", "a", "--output", "o", "--threshold", "nan"], "--threshold"),
        (["train", "c.yaml", "--device", "tpu"], "--device: 'tpu'"),
        (["render", "--output", "o", "--count", "-1"], "--count: '-1'"),
        (["models", "fetch", "everything"], "everything"),
    ],
)
def test_wrong_arguments(run: Run, arguments: list[str], named: str) -> None:
    refused(run(*arguments), 2, named, "--help`")


def test_demo_with_a_pace_that_is_none(run: Run) -> None:
    refused(run("demo", "--pace", "brisk"), 2, "--pace: 'brisk'")
