"""An actuator over tcp: without the right key it rejects everything, and says why in one line."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from linewatch.actuators.client import Client
from linewatch.core.curve import ClientKeys, new_pair

LIMIT_S = 20.0


def _rejects_with(client: Client, reason: str) -> bool:
    return client.reject_all == reason


def until(client: Client, condition: Callable[[], bool]) -> list[int]:
    seqs: list[int] = []
    end = time.monotonic() + LIMIT_S
    while not condition() and time.monotonic() < end:
        seqs += [decision.seq for decision in client.receive(10)]
    assert condition(), client.reject_all
    return seqs


def test_the_right_key_decides_and_silence_rejects(network_line: Any) -> None:
    with Client(network_line.endpoint, "t1", "rej", keys=network_line.keys("good")) as client:
        until(client, lambda: not client.reject_all)
        network_line.decide.append(1)
        assert until(client, lambda: client.seq == 1) == [1]
        network_line.silent = True
        until(client, lambda: bool(client.reject_all))
        assert client.reject_all == "no heartbeat"


def test_a_stranger_rejects_until_allowed_and_again_once_revoked(network_line: Any) -> None:
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


def test_others_are_told_why(network_line: Any) -> None:
    not_ours = ClientKeys(new_pair()[0], network_line.keys("good").secret)
    for keys, said in (
        (not_ours, "the line broke the handshake off; is this its public key?"),
        (None, "the line wants keys and this client has none"),
    ):
        with Client(network_line.endpoint, "t1", "rej", keys=keys) as client:
            until(client, partial(_rejects_with, client, f"no heartbeat: {said}"))


def test_keys_for_a_line_without(line: Any) -> None:
    with Client(line.endpoint, "t1", "rej", keys=ClientKeys(new_pair()[0], new_pair()[1])) as client:
        until(client, lambda: client.reject_all.startswith("no heartbeat: "))
        assert client.reject_all in (
            "no heartbeat: this client has keys, and the line speaks without",
            "no heartbeat: the line broke the handshake off; is this its public key?",
        )


def rejecter(network_line: Any, log: Path, key: str) -> list[str]:
    command = [sys.executable, "-m", "linewatch.actuators", "--endpoint", network_line.endpoint, "--station", "t1"]
    keys = ["--line-key", str(network_line.public), "--key", str(network_line.ring.folder / f"{key}.key")]
    return [*command, *keys, "--log", str(log)]


@pytest.mark.slow
def test_the_rejecter_process_takes_keys_and_says_what_is_wrong(network_line: Any, tmp_path: Path) -> None:
    for key, last in (("good", "normal"), ("stranger", "no heartbeat: the line does not allow this client's key")):
        log = tmp_path / f"{key}.log"
        with subprocess.Popen(rejecter(network_line, log, key)) as process:
            end = time.monotonic() + LIMIT_S
            while not (log.exists() and last in log.read_text()) and time.monotonic() < end:
                time.sleep(0.02)
            process.terminate()
        acts = [json.loads(line) for line in log.read_text().splitlines()]
        assert last in (acts[-1]["act"], acts[-1].get("reason"))


def test_a_secret_that_others_can_read_is_refused(network_line: Any, tmp_path: Path) -> None:
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
