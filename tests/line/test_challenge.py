"""The challenge on a real line: its gate, processes and sockets; every fifth part is a chip to its inspector."""

import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from linewatch.challenge.line import LineEar, observer_keys
from linewatch.challenge.report import Report, verified
from linewatch.challenge.run import Order, challenge
from linewatch.core.curve import new_pair
from linewatch.core.errors import EndpointError, StationError, StorageError
from linewatch.core.keyring import Keyring
from linewatch.core.signatures import new_signing_pair
from linewatch.core.station import load_station

Hold = Callable[..., Report]
Act = Callable[[str], None]
CHIP = {"name": "chip-01", "expect": ["chip"]}
OTHER = {"name": "chip-02", "expect": ["chip"]}


def prepare(folder: Path) -> None:
    """What the line of these tests does not need: a model card, and a key to sign with."""
    card = folder / "models" / "m" / "model.yaml"
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text("sha256: abc\nclasses: [chip, stone]\n")
    if not (folder / "keys" / "signing" / "challenge.key").exists():
        Keyring(folder / "keys" / "signing").add("challenge", *new_signing_pair())


def perform(line: Any, path: Path, parts: list[dict[str, Any]], act: Act, **settings: Any) -> Report:
    """One challenge of `parts`. act: called with each line that is said to people. Returns the verified report."""
    prepare(line.folder)
    known_bad = path / "set.yaml"
    known_bad.write_text(yaml.safe_dump({"name": "s", "window_s": 20, "parts": parts, **settings}))
    order = Order(line.folder / "station.yaml", known_bad, "A. Meyer", path / "report.json")
    signed, files = challenge(order, act, runtime=line.runtime)
    assert [file.name for file in files] == ["report.json", "report.html"]
    assert verified(files[0], None, line.folder / "keys" / "signing") == signed
    return signed.report


@pytest.fixture
def hold(running: Any, tmp_path: Path, wait: Callable[..., bool]) -> Hold:
    """A challenge whose first part is the chip."""

    def on_the_line(parts: list[dict[str, Any]], act: Act, **settings: Any) -> Report:
        count = 0
        while (running.base + count) % 5 != 4:
            running.gate.fire()
            count += 1
            assert wait(lambda wanted=count: len(running.observer.of("decision")) >= wanted)
        return perform(running, tmp_path, parts, act, **settings)

    return on_the_line


def firing(line: Any, parts: int = 1) -> Act:
    """Puts so many parts in whenever somebody is asked to."""

    def act(words: str) -> None:
        for _ in range(parts if "put in" in words else 0):
            line.gate.fire()
            time.sleep(0.05)

    return act


def outcomes(report: Report) -> list[str]:
    return [result.outcome.value for result in report.results]


def test_each_part_in_turn_and_what_the_line_made_of_it(hold: Hold, running: Any) -> None:
    said: list[str] = []
    fire = firing(running)

    def act(words: str) -> None:
        said.append(words)
        fire(words)

    report = hold([CHIP, OTHER], act, order="given")
    assert outcomes(report) == ["caught", "passed"]
    assert (report.succeeded, report.verdict) == (False, "1 of 2 known-bad parts were not caught")
    first, second = (result.seen for result in report.results)
    assert first is not None and second is not None
    assert (first.label, first.score, first.run, second.seq) == ("chip", 0.875, running.run, first.seq + 1)
    assert (report.model, report.model_sha256, report.operator) == ("m", "abc", "A. Meyer")
    assert said[:2] == ["1 of 2: put in chip-01, expected: chip; 20 s", "    caught"]


def test_in_any_order_each_part_has_the_decision_that_fits(hold: Hold, running: Any) -> None:
    any_defect = {"name": "a", "expect": ["stone"]}
    report = hold([any_defect, CHIP], firing(running, 2))
    assert outcomes(report) == ["passed", "caught"]
    assert report.problems == ()


@pytest.mark.slow
def test_a_caught_set_succeeds(hold: Hold, running: Any) -> None:
    report = hold([CHIP], firing(running))
    assert (report.succeeded, report.verdict, report.others) == (True, "all 1 known-bad parts were caught", 0)


def test_a_part_more_than_the_set_has_proves_nothing(hold: Hold, running: Any) -> None:
    report = hold([CHIP], firing(running, 2))
    assert outcomes(report) == ["caught"]
    assert not report.succeeded
    assert "1 more parts were decided than the set has" in report.verdict


@pytest.mark.slow
@pytest.mark.parametrize("order", ["any", "given"])
def test_among_production_only_an_expected_defect_counts(hold: Hold, running: Any, order: str) -> None:
    stone = {"name": "stone-01", "expect": ["stone"]}
    window_s = 0.5 if order == "given" else 1.0
    report = hold([CHIP, stone], firing(running, 3), traffic="production", order=order, window_s=window_s)
    assert outcomes(report) == ["caught", "not_seen"]
    assert report.others == (5 if order == "given" else 2)
    assert report.problems == ()


@pytest.mark.slow
def test_a_reject_in_doubt_does_not_prove_that_the_defect_is_seen(hold: Hold, running: Any, wait: Any) -> None:
    inspector = running.children()["inspector"]
    fire = firing(running)

    def act(words: str) -> None:
        if "put in" in words:
            os.kill(inspector, signal.SIGSTOP)
            fire(words)
            wait(lambda: running.observer.of("decision")[-1]["cause"] == "timeout")
            os.kill(inspector, signal.SIGCONT)

    report = hold([CHIP], act)
    assert outcomes(report) == ["in_doubt"]
    assert "rejected for timeout" in report.results[0].words


@pytest.mark.slow
def test_nobody_puts_anything_in(hold: Hold) -> None:
    report = hold([CHIP], lambda _: None, window_s=0.2)
    assert (outcomes(report), report.succeeded) == (["not_seen"], False)


@pytest.mark.slow
def test_a_report_that_cannot_be_written_is_said(hold: Hold, tmp_path: Path) -> None:
    said: list[str] = []

    def act(words: str) -> None:
        said.append(words)
        if "put in" in words:
            (tmp_path / "report.json.new").mkdir()  # where the file is written first

    with pytest.raises(StorageError, match=r"report\.json: Is a directory"):
        hold([CHIP], act, window_s=0.2)
    assert '"signature": {' in said[-1]
    assert not (tmp_path / "report.json").exists()


@pytest.mark.slow
def test_ctrl_c_ends_it_with_a_report(hold: Hold) -> None:
    report = hold([CHIP], lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert (outcomes(report), report.problems) == (["not_seen"], ("interrupted by SIGINT",))


@pytest.mark.slow
def test_a_line_with_another_model_than_the_station_file_proves_nothing(hold: Hold, running: Any) -> None:
    before = (running.folder / "station.yaml").read_text()
    card = running.folder / "models" / "other" / "model.yaml"
    card.parent.mkdir(parents=True, exist_ok=True)
    card.write_text("sha256: abc\nclasses: [chip]\n")
    running.write_station(detector={"model": "models/other"}, recipe="def")
    try:
        report = hold([CHIP], firing(running))
    finally:
        (running.folder / "station.yaml").write_text(before)
    assert report.problems == (
        "the line works with model 'm', and the station file names 'other'",
        "the line works with recipe 'default', and the station file names 'def'",
    )


def test_a_line_that_is_not_there_is_said(tmp_path: Path) -> None:
    said = r"no heartbeat of t1 for 0\.2 s; is the line running\?"
    with LineEar(f"ipc://{tmp_path}/o.sock", "t1", None) as ear, pytest.raises(EndpointError, match=said):
        ear.wait_for_line(0.2)
    with pytest.raises(EndpointError):
        LineEar("nowhere", "t1", None)


@pytest.mark.slow
def test_a_line_that_dies_meanwhile_proves_nothing(line: Any, tmp_path: Path) -> None:
    line.start()
    report = perform(line, tmp_path, [CHIP], lambda _: line.kill(), window_s=2)
    assert outcomes(report) == ["not_seen"]
    assert report.problems[0].startswith("no heartbeat of the line for")


@pytest.mark.slow
def test_on_tcp_only_with_a_key_that_the_line_allows(line: Any) -> None:
    prepare(line.folder)
    ring = Keyring(line.folder / "keys")
    for name in ("server", "challenge"):
        ring.add(name, *new_pair())
    with socket.create_server(("127.0.0.1", 0)) as found:
        endpoint = f"tcp://127.0.0.1:{found.getsockname()[1]}"
    line.write_station(endpoints={"observers": endpoint})
    station = load_station(line.folder / "station.yaml")
    with pytest.raises(StationError, match=r"--key: .*linewatch keys new challenge"):
        observer_keys(station, None)
    keys = observer_keys(station, line.folder / "keys" / "challenge.key")
    line.launch()
    with LineEar(endpoint, "t1", keys) as ear:
        with pytest.raises(EndpointError, match="does not allow this client's key"):
            ear.wait_for_line(5)
        ring.allow(line.folder / "keys" / "challenge.pub")
        ear.wait_for_line(30)
    with LineEar(endpoint, "t1", None) as ear, pytest.raises(EndpointError, match="wants keys"):
        ear.wait_for_line(2)
