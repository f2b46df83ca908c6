"""Wrong input to the real command: one line that names path, value and reason, and an exit code of its own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import zmq

from linewatch.cli import main
from linewatch.sim.dataset import write_dataset
from linewatch.sim.gate import VirtualGate

Run = Callable[..., subprocess.CompletedProcess[str]]
WriteStation = Callable[..., Path]
WORDS = "i accept that anyone on this network can read and forge decisions"


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
        station = write_station(
            gate={"kind": "framed", "port": gate.path}, endpoints={"observers": endpoint, "plaintext": WORDS}
        )
        refused(run("run", station), 4, f"{endpoint}: is taken by another program")


def test_endpoint_that_strangers_could_reach(run: Run, write_station: WriteStation) -> None:
    with VirtualGate() as gate:
        station = write_station(
            gate={"kind": "framed", "port": gate.path}, endpoints={"actuators": "tcp://0.0.0.0:5599"}
        )
        refused(
            run("run", station),
            3,
            "endpoints.actuators: 'tcp://0.0.0.0:5599'",
            "server.key: No such file",
            "linewatch keys new server",
            "plaintext",
        )


def test_output_below_a_file(run: Run, tmp_path: Path) -> None:
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


@pytest.fixture
def station_with_damage(write_station: WriteStation, tmp_path: Path, model: Path) -> Callable[[bytes | None], Path]:
    """A station whose model has its card, and these bytes or nothing for weights; beside it a picture to replay."""
    list(write_dataset(tmp_path, seed=0, count=1, size_px=64))

    def write(weights: bytes | None) -> Path:
        copy = tmp_path / "copy"
        copy.mkdir()
        (copy / "model.yaml").write_bytes((model / "model.yaml").read_bytes())
        if weights is not None:
            (copy / "weights.safetensors").write_bytes(weights)
        return write_station(detector={"model": str(copy), "device": "cpu"})

    return write


@pytest.mark.parametrize(("damage", "said"), [(None, "weights are missing"), (b"cut short", "sha256 is")])
def test_weights_missing_or_damaged(
    damage: bytes | None, said: str, station_with_damage: Callable[[bytes | None], Path], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    station = station_with_damage(damage)
    out = tmp_path / "out"
    assert main(["replay", str(tmp_path / "images"), "--station", str(station), "--output", str(out)]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{tmp_path / 'copy' / 'weights.safetensors'}: {said}" in line
    assert not out.exists()


def test_demo_with_a_pace_that_is_none(run: Run) -> None:
    refused(run("demo", "--pace", "brisk"), 2, "--pace: 'brisk'")
