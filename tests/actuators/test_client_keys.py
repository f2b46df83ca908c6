"""An actuator over tcp: without the right key it rejects everything, and says why in one line."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from linewatch.actuators.client import Client
from linewatch.core.curve import ClientKeys, new_pair
from linewatch.core.keyring import Keyring
from linewatch.core.messages import Cause, Decision, Verdict
from linewatch.core.station import Station
from linewatch.line.publisher import Publisher

LIMIT_S = 20.0


class NetworkLine:
    """A line's real publisher on tcp, turned by a thread of the test. silent: no heartbeats any more."""

    def __init__(self, folder: Path) -> None:
        self.ring = Keyring(folder / "keys")
        self.ring.add("server", *new_pair())
        for name, allowed in (("good", True), ("stranger", False)):
            public = self.ring.add(name, *new_pair())[1]
            if allowed:
                self.ring.allow(public)
        self.public = self.ring.folder / "server.pub"
        self.endpoint = ""
        self.silent = False
        self.decide: list[int] = []
        self._station = _station(self.ring.folder)
        self._folder = folder
        self._stop, self._bound = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        assert self._bound.wait(10)

    def keys(self, name: str) -> ClientKeys:
        return ClientKeys.read(self.public, self.ring.folder / f"{name}.key")

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _serve(self) -> None:
        publisher = Publisher(self._station, "run-1", self._folder)
        self.endpoint = publisher.endpoints[1]
        assert publisher.admission is not None
        actuators = publisher.actuators
        handlers: dict[Any, Callable[[], object]] = {
            actuators.socket: lambda: actuators.receive(time.monotonic_ns()),
            **publisher.admission.handlers(),
        }
        poller = zmq.Poller()
        for source in handlers:
            poller.register(source, zmq.POLLIN)
        self._bound.set()
        decided = 0
        while not self._stop.is_set():
            for source, _ in poller.poll(5):
                handlers[source]()
            now_ns = time.monotonic_ns()
            while self.decide:
                decided = self.decide.pop(0)
                publisher.decide(
                    Decision("t1", "run-1", decided, Verdict.REJECT, Cause.DEFECT, now_ns, now_ns, now_ns, 500.0),
                    now_ns,
                )
            publisher.tick(now_ns)
            if not self.silent:
                publisher.beat(decided, 1, now_ns)
        publisher.close()


def _station(keys: Path) -> Station:
    document = {
        "name": "t1",
        "gate": {"kind": "framed", "port": "x"},
        "camera": {"kind": "simulated"},
        "detector": {"model": "m"},
        "acceptance": [{"class": "*"}],
        "rejecter": {"transport_ms": 1000},
        "security": {"folder": str(keys)},
        "endpoints": {"actuators": "tcp://127.0.0.1:*"},
    }
    return Station.model_validate(document)


@pytest.fixture
def network_line(tmp_path: Path) -> Iterator[NetworkLine]:
    line = NetworkLine(tmp_path)
    yield line
    line.close()


def until(client: Client, condition: Callable[[], bool]) -> list[int]:
    seqs: list[int] = []
    end = time.monotonic() + LIMIT_S
    while not condition() and time.monotonic() < end:
        seqs += [decision.seq for decision in client.receive(10)]
    assert condition(), client.reject_all
    return seqs


def test_the_right_key_decides_and_silence_rejects(network_line: NetworkLine) -> None:
    with Client(network_line.endpoint, "t1", "rej", keys=network_line.keys("good")) as client:
        until(client, lambda: not client.reject_all)
        network_line.decide.append(1)
        assert until(client, lambda: client.seq == 1) == [1]
        network_line.silent = True
        until(client, lambda: bool(client.reject_all))
        assert client.reject_all == "no heartbeat"


def test_a_stranger_rejects_until_allowed_and_again_once_revoked(network_line: NetworkLine) -> None:
    refused = "no heartbeat: the line does not allow this client's key"
    with Client(network_line.endpoint, "t1", "rej", keys=network_line.keys("stranger")) as client:
        until(client, lambda: client.reject_all == refused)
        network_line.ring.allow(network_line.ring.folder / "stranger.pub")
        until(client, lambda: not client.reject_all)
        network_line.decide.append(1)
        assert until(client, lambda: client.seq == 1) == [1]
        network_line.ring.revoke("stranger")
        until(client, lambda: client.reject_all == refused)
        network_line.decide.append(2)
        end = time.monotonic() + 0.7
        while time.monotonic() < end:
            assert client.receive(10) == []
            assert client.reject_all


def test_others_are_told_why(network_line: NetworkLine) -> None:
    not_ours = ClientKeys(new_pair()[0], network_line.keys("good").secret)
    for keys, said in (
        (not_ours, "the line broke the handshake off; is this its public key?"),
        (None, "the line wants keys and this client has none"),
    ):
        with Client(network_line.endpoint, "t1", "rej", keys=keys) as client:
            until(client, lambda client=client, said=said: client.reject_all == f"no heartbeat: {said}")


def test_keys_for_a_line_without(line: Any) -> None:
    with Client(line.endpoint, "t1", "rej", keys=ClientKeys(new_pair()[0], new_pair()[1])) as client:
        until(client, lambda: client.reject_all.startswith("no heartbeat: "))
        assert client.reject_all in (
            "no heartbeat: this client has keys, and the line speaks without",
            "no heartbeat: the line broke the handshake off; is this its public key?",
        )


def rejecter(network_line: NetworkLine, log: Path, key: str) -> list[str]:
    command = [sys.executable, "-m", "linewatch.actuators", "--endpoint", network_line.endpoint, "--station", "t1"]
    keys = ["--line-key", str(network_line.public), "--key", str(network_line.ring.folder / f"{key}.key")]
    return [*command, *keys, "--log", str(log)]


def test_the_rejecter_process_takes_keys_and_says_what_is_wrong(network_line: NetworkLine, tmp_path: Path) -> None:
    for key, last in (("good", "normal"), ("stranger", "no heartbeat: the line does not allow this client's key")):
        log = tmp_path / f"{key}.log"
        with subprocess.Popen(rejecter(network_line, log, key)) as process:
            end = time.monotonic() + LIMIT_S
            while not (log.exists() and last in log.read_text()) and time.monotonic() < end:
                time.sleep(0.02)
            process.terminate()
        acts = [json.loads(line) for line in log.read_text().splitlines()]
        assert last in (acts[-1]["act"], acts[-1].get("reason"))


def test_a_secret_that_others_can_read_is_refused(network_line: NetworkLine, tmp_path: Path) -> None:
    secret = network_line.ring.folder / "good.key"
    secret.chmod(0o640)
    command = rejecter(network_line, tmp_path / "log", "good")
    for arguments, code, said in (
        (command, 3, f"{secret}: '0640': others can read this secret; chmod 600 {secret}"),
        (command[:-4], 2, "--line-key and --key: belong together"),
    ):
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1)
        assert said in done.stderr
