"""A replay over real workers of Ray gives the log that one process gives, whatever happens to the workers."""

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import linewatch
from linewatch.core.errors import ConfigError, ModelError
from linewatch.core.station import load_station
from linewatch.pictures.write import write_png
from linewatch.replay.spread.edition import edition_of, require_same

PROJECT = Path(linewatch.__file__).parent.parent
PATIENCE_S = 240.0
SIDE_PX = 32
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed")


def write_network(path: Path) -> Path:
    """An ONNX file whose score is the mean brightness; NaN where all is black, a failing run where all is white."""
    source = PROJECT / "tests" / "inspection" / "onnx_files.py"
    spec = importlib.util.spec_from_file_location("onnx_files", source)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written: Path = module.write(path, "yolo_end_to_end")
    return written


def write_station(folder: Path, **changes: Any) -> Path:
    pytest.importorskip("onnx")
    document = {
        "name": "t",
        "gate": {"kind": "framed", "port": "gate"},
        "camera": {"kind": "folder", "path": "unused", "width": SIDE_PX, "height": SIDE_PX},
        "detector": {"kind": "onnx", "model": str(write_network(folder / "own.onnx")), "output": "yolo_end_to_end",
                     "classes": ["crack", "stone"]},
        "acceptance": [{"class": "*", "min_score": 0.6}],
        "line": {"deadline_ms": 100, "min_gap_ms": 25, "max_capture_ms": 40},
        "alarms": {"consecutive_rejects": 3},
        "rejecter": {"transport_ms": 1000},
        **changes,
    }  # fmt: skip
    path = folder / "station.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def write_recording(folder: Path, triggers: int) -> Path:
    """Pictures of every kind, shown over and over; some triggers without a picture, some too close to the last."""
    (folder / "frames").mkdir(parents=True)
    for number, grey in enumerate((0, 40, 90, 140, 170, 200, 230, 255)):
        picture = np.full((SIDE_PX, SIDE_PX), grey, np.uint8)
        write_png(folder / "frames" / f"{number}.png", picture)
    torn = folder / "frames" / "1.png"
    (folder / "frames" / "8.png").write_bytes(torn.read_bytes()[:-20])
    write_png(folder / "frames" / "9.png", np.zeros((SIDE_PX, SIDE_PX + 1), np.uint8))
    t_ns = 0
    with (folder / "triggers.jsonl").open("w") as file:
        for seq in range(1, triggers + 1):
            t_ns += 10_000_000 if seq % 13 == 0 else 30_000_000
            name = None if seq % 17 == 0 else f"frames/{seq * 7 % 10}.png"
            line = {"seq": seq, "t_ns": t_ns, "counter": seq, "file": name, "reason": "" if name else "lost"}
            file.write(json.dumps(line) + "\n")
    return folder


def command(folder: Path, station: Path, output: Path, *more: str) -> list[str]:
    words = [sys.executable, "-m", "linewatch", "replay", folder, "--station", station, "--output", output, *more]
    return [str(word) for word in words]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PROJECT), **variables}


def run(*words: Any, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment(), cwd=cwd
    )


def files_of(output: Path) -> dict[str, bytes]:
    """What was written and tells no time of the wall clock: decisions and crops."""
    names = [output / "decisions.jsonl", *sorted((output / "crops").iterdir())]
    return {path.name: path.read_bytes() for path in names}


def events_of(output: Path) -> list[tuple[str, str, int]]:
    read = [json.loads(line) for line in (output / "events.jsonl").read_text().splitlines()]
    return [(event["kind"], event["text"], event["seq"]) for event in read]


def workers_of(pid: int) -> list[int]:
    """Processes of Ray below `pid` that inspect."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    below = {pid}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return [one for one in below if b"ray::Worker" in cmdline(one)]


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def until(condition: Any) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recording(tmp_path_factory.mktemp("spread") / "recording", 3000)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_station(tmp_path_factory.mktemp("station"))


@pytest.fixture(scope="module")
def alone(recording: Path, station: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one process makes of the recording."""
    output = tmp_path_factory.mktemp("alone") / "out"
    assert run(recording, station, output).returncode == 0
    return output


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_workers_write_what_one_process_writes(recording: Path, station: Path, alone: Path, tmp_path: Path) -> None:
    words = command(recording, station, tmp_path / "out", "--ray", "local", "--workers", "2")
    with tempfile.TemporaryDirectory(prefix="lw") as scratch:  # short: a socket's path has 107 bytes
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment(TMPDIR=scratch)
        )
        assert list(Path(scratch).glob("lwray*")) == []
    assert done.returncode == 0, done.stderr
    assert files_of(tmp_path / "out") == files_of(alone)
    assert events_of(tmp_path / "out") == events_of(alone)
    causes = {json.loads(line)["cause"] for line in (alone / "decisions.jsonl").read_text().splitlines()}
    assert causes == {"ok", "defect", "no_frame", "incomplete_frame", "non_finite", "model_error"}
    assert {kind for kind, _, _ in events_of(alone)} >= {"min_gap"}
    assert "replay: 3000 of 3000 parts" in done.stderr


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_worker_is_replaced_and_the_log_is_the_same(
    recording: Path, station: Path, alone: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = command(recording, station, output, "--ray", "local", "--workers", "2")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as replay:
        log = output / "decisions.jsonl"
        until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 100)
        victim = workers_of(replay.pid)[0]
        os.kill(victim, signal.SIGKILL)
        lines_then = log.read_bytes().count(b"\n")
        _, said = replay.communicate(timeout=PATIENCE_S)
    assert replay.returncode == 0, said
    assert lines_then < 3000
    assert files_of(output) == files_of(alone)
    summary = json.loads((output / "summary.json").read_text())
    assert "workers lost on the way: 1; what they had in hand was inspected again" in summary["notes"]
    assert (summary["complete"], summary["decided"]) == (True, 3000)


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_worker_that_hangs_is_replaced_and_the_log_is_the_same(
    recording: Path, station: Path, alone: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = command(recording, station, output, "--ray", "local", "--workers", "2", "--patience", "8")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as replay:
        log = output / "decisions.jsonl"
        until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 100)
        hung = workers_of(replay.pid)[0]
        os.kill(hung, signal.SIGSTOP)
        _, said = replay.communicate(timeout=PATIENCE_S)
    assert replay.returncode == 0, said
    assert files_of(output) == files_of(alone)
    assert "workers lost on the way: 1" in (output / "summary.json").read_text()
    until(lambda: b"ray::" not in cmdline(hung))


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_parts_that_end_every_worker_are_named(recording: Path, station: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    words = command(recording, station, output, "--ray", "local", "--workers", "1")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as replay:
        log = output / "decisions.jsonl"
        until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 20)
        while replay.poll() is None:  # whoever comes to inspect
            for pid in workers_of(replay.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        assert replay.stderr is not None
        said = replay.stderr.read().splitlines()[-1]
    assert replay.returncode == 4
    assert "every worker that inspected it was lost" in said or "workers ended while they loaded the model" in said
    assert log.read_bytes().count(b"\n") >= 20


@needs_ray
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_interrupt_writes_what_is_done_and_leaves_no_process(
    recording: Path, station: Path, alone: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = command(recording, station, output, "--ray", "local", "--workers", "1")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environment()) as replay:
        log = output / "decisions.jsonl"
        until(lambda: log.exists() and log.read_bytes().count(b"\n") >= 20)
        workers = workers_of(replay.pid)
        replay.send_signal(signal.SIGTERM)
        _, said = replay.communicate(timeout=PATIENCE_S)
    assert replay.returncode == 143, said
    summary = json.loads((output / "summary.json").read_text())
    assert (summary["complete"], summary["stopped_by"]) == (False, "SIGTERM")
    done = (output / "decisions.jsonl").read_bytes()
    assert (alone / "decisions.jsonl").read_bytes().startswith(done)
    until(lambda: not any(b"ray::" in cmdline(pid) for pid in workers))


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
