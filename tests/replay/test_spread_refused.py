"""What `replay --ray` refuses: clusters, workers and words that do not fit, each in one line."""

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from linewatch.core.errors import ConfigError, ModelError
from linewatch.core.station import load_station
from linewatch.replay.spread.edition import edition_of, require_same
from tests.replay.spreading import (
    PATIENCE_S,
    PROJECT,
    command,
    environment,
    needs_ray,
    run,
    until,
    write_recording,
    write_station,
)


class Head:
    """A cluster of its own, started as its administrator would: `ray start`."""

    def __init__(self, pythonpath: Path, cwd: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{port}"
        self._folder = tempfile.mkdtemp(prefix="lwhead")
        there = environment(PYTHONPATH=str(pythonpath), RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled")
        words = ["start", "--head", f"--port={port}", "--node-ip-address=127.0.0.1", "--num-cpus=1", "--block",
                 "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={self._folder}",
                 "--object-store-memory=80000000"]  # fmt: skip
        script = "import sys; from ray.scripts.scripts import main; sys.argv[0] = 'ray'; main()"
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(
            [sys.executable, "-c", script, *words], cwd=cwd, env=there, stdout=quiet, stderr=quiet
        )
        until(self._answers)

    def replay(self, *words: Any, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*words, "--ray", self.address), capture_output=True, text=True, timeout=PATIENCE_S, check=False,
            env=environment(RAY_AUTH_MODE="disabled"), cwd=cwd,
        )  # fmt: skip

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        """Whether the machine itself has joined, which is some time after the port is open."""
        return bool(list(Path(self._folder).glob("session_latest/sockets/raylet*")))


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two working folders: paths through /proc/self/cwd are of the one for workers, of the other for the replay."""
    for name in ("there", "here"):
        (tmp_path / name).mkdir()
    return tmp_path / "there", tmp_path / "here"


@pytest.fixture
def head(places: tuple[Path, Path]) -> Iterator[Head]:
    started = Head(PROJECT, places[0])
    yield started
    started.stop()


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_with_other_files_is_refused_with_their_paths(
    head: Head, places: tuple[Path, Path], tmp_path: Path
) -> None:
    there, here = places
    model = Path("/proc/self/cwd/own.onnx")
    station = write_station(here)
    document = yaml.safe_load(station.read_text())
    document["detector"]["model"] = str(model)
    station.write_text(yaml.safe_dump(document))
    pictures = write_recording(tmp_path / "recording", 40)
    output = tmp_path / "out"

    done = head.replay(pictures, station, output, cwd=here)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert f"{model}: No such file or directory" in done.stderr and "worker on " in done.stderr

    shutil.copy(here / "own.onnx", there / "own.onnx")
    with (there / "own.onnx").open("ab") as file:
        file.write(b"\0")
    done = head.replay(pictures, station, output, cwd=here)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert f"{model}: 'sha256 " in done.stderr and "is another than here, sha256 " in done.stderr

    shutil.copy(here / "own.onnx", there / "own.onnx")
    shutil.copytree(pictures, here / "recording")
    seen = Path("/proc/self/cwd/recording")
    done = head.replay(seen, station, output, cwd=here)
    assert (done.returncode, done.stderr.count("\n")) == (5, 1), done.stderr
    assert f"{seen}: is no folder that this worker can see" in done.stderr
    assert not output.exists()

    shutil.copytree(pictures, there / "recording")
    (there / "recording" / "frames" / "3.png").unlink()
    done = head.replay(seen, station, output, cwd=here)
    assert (done.returncode, done.stderr.count("\n")) == (5, 1), done.stderr
    assert "frames/3.png: this worker cannot read it: No such file or directory" in done.stderr

    done = head.replay(pictures, station, tmp_path / "whole", cwd=here)
    assert done.returncode == 0, done.stderr
    done = head.replay(pictures, station, tmp_path / "more", "--workers", "2", cwd=here)
    assert (done.returncode, done.stderr) == (
        2, "linewatch: --workers: 2: the cluster has 1 CPUs, and each worker takes 1 CPUs\n",
    )  # fmt: skip


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_with_other_code_is_refused(places: tuple[Path, Path], tmp_path: Path) -> None:
    there, here = places
    other = tmp_path / "other"
    shutil.copytree(PROJECT / "linewatch", other / "linewatch", ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "linewatch" / "sim" / "belt.py").open("a") as file:
        file.write("# another\n")
    head = Head(other, there)
    try:
        done = head.replay(write_recording(tmp_path / "recording", 8), write_station(here), tmp_path / "out", cwd=here)
    finally:
        head.stop()
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr
    assert ": linewatch: '" in done.stderr and "is another than here" in done.stderr
    assert not (tmp_path / "out").exists()


@needs_ray
@pytest.mark.slow
def test_an_address_where_nobody_listens_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    pictures, station = write_recording(tmp_path / "recording", 3), write_station(tmp_path)
    done = run(pictures, station, tmp_path / "out", "--ray", f"127.0.0.1:{port}")
    assert done.returncode == 4
    assert done.stderr == f"linewatch: --ray 127.0.0.1:{port}: cannot be reached: Connection refused\n"
    assert not (tmp_path / "out").exists()


@needs_ray
@pytest.mark.slow
@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_an_address_of_something_else_is_one_line(tmp_path: Path, answer: bytes) -> None:
    pictures, station = write_recording(tmp_path / "recording", 3), write_station(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def reply() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(4096)
                peer.sendall(answer)

        thread = threading.Thread(target=reply)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        done = run(pictures, station, tmp_path / "out", "--ray", address)
        thread.join()
    assert done.returncode == 4
    assert done.stderr == f"linewatch: --ray {address}: what answers there is no head of a Ray cluster\n"


WITHOUT = """
import sys
sys.modules["ray"] = None  # as if it were not installed
from linewatch.cli import main
raise SystemExit(main(sys.argv[1:]))
"""


def test_without_the_extra_its_name_is_said(tmp_path: Path) -> None:
    pictures, station = write_recording(tmp_path / "recording", 3), write_station(tmp_path)
    words = [sys.executable, "-c", WITHOUT, *command(pictures, station, tmp_path / "out", "--ray", "local")[3:]]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment())
    assert done.returncode == 2
    assert done.stderr == "linewatch: --ray: needs Ray: pip install 'linewatch[ray]'\n"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--ray", "auto"], "--ray: 'auto': must be `local`, or HOST:PORT of the cluster's head"),
        (["--ray", "ray://host:10001"], "--ray: 'ray://host:10001': must be `local`, or HOST:PORT"),
        (["--ray", "host:99999"], "--ray: 'host:99999': must be `local`, or HOST:PORT"),
        (["--workers", "2"], "--workers: 2: is for --ray"),
        (["--ray", "local", "--pace", "recorded"], "--pace: 'recorded': must be fast with --ray"),
    ],
)
@needs_ray
def test_wrong_words_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    from linewatch.cli import main

    pictures, station = write_recording(tmp_path / "recording", 3), write_station(tmp_path)
    assert main(command(pictures, station, tmp_path / "out", *more)[3:]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_edition_names_what_differs(tmp_path: Path) -> None:
    station = load_station(write_station(tmp_path))
    ours = edition_of(station)
    require_same(ours, edition_of(station), "host")
    with station.detector.model.open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ConfigError, match=rf"worker on host: {station.detector.model}: 'sha256 \w+': is another"):
        require_same(ours, edition_of(station), "host")
    station.detector.model.unlink()
    with pytest.raises(ModelError, match=r"own\.onnx: No such file"):
        edition_of(station)
