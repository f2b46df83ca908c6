"""The page's process over real sockets: what it says of the line, how soon, and what it does with bad input."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from linewatch.core.curve import new_pair
from linewatch.core.keyring import Keyring
from linewatch.core.messages import Cause, Detection
from linewatch.core.station import load_station
from linewatch.line.publisher import Publisher

CRACK = Detection("crack", 0.93, 200.0, 100.0, 60.0, 40.0, "reject")


def test_a_decision_is_on_the_page_at_once(line: Any, page: Any, news: Any) -> None:
    news.until(lambda said: said["line"]["tone"] == "good")
    line.decide(Cause.DEFECT, (CRACK,))
    began = time.monotonic()
    said = news.until(lambda said: said["last"])
    assert time.monotonic() - began < 3.0  # 0.3 s is promised; 0.03 s was measured
    assert (said["last"]["word"], said["last"]["tone"], said["last"]["why"]) == ("REJECT", "reject", "crack 0.93")
    for _ in range(3):
        line.decide()
    line.decide(Cause.TIMEOUT, took_ms=101)
    said = news.until(lambda said: said["decided"] == 5)
    assert (said["passed"], said["defects"], said["failsafe"], said["missed"]) == (3, 1, 1, 0)
    assert said["last"]["why"] == "in doubt: timeout"
    assert said["pareto"] == [
        {"name": "crack", "count": 1, "tone": "reject"}, {"name": "timeout", "count": 1, "tone": "doubt"},
    ]  # fmt: skip
    assert said["slack"]["recent"] == pytest.approx([70, 70, 70, 70, -1], abs=0.1)
    assert page.get("readyz") == (200, "ready\n")


def test_silence_is_said_and_nothing_looks_alive(line: Any, page: Any, news: Any) -> None:
    news.until(lambda said: said["line"]["tone"] == "good")
    line.decide()
    line.alive = False
    said = news.until(lambda said: said["line"]["tone"] == "bad")
    assert said["line"]["word"] == "LINE SILENT"
    assert said["per_minute"] is None
    assert {cell["word"] for cell in said["health"] if cell["name"] not in ("disk",)} == {"not known"}
    status, text = page.get("readyz")
    assert status == 503 and "no heartbeat for" in text
    assert page.get("healthz") == (200, "ok\n")
    line.alive = True
    news.until(lambda said: said["line"]["tone"] == "good")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "word"),
    [
        ({"gate": False}, "GATE LOST"),
        ({"children": {"camera": "ready", "inspector": "starting", "recorder": "ready"}}, "STARTING"),
        ({"children": {}}, "STARTING"),
    ],
)
def test_a_line_that_cannot_take_parts_is_not_ready(
    line: Any, page: Any, news: Any, status: dict[str, Any], word: str
) -> None:
    line.status = status
    said = news.until(lambda said: said["line"]["word"] == word)
    assert said["line"]["tone"] != "good"
    assert page.get("readyz")[0] == 503


@pytest.mark.slow
def test_alarms_are_shown_while_they_last(line: Any, news: Any) -> None:
    news.until(lambda said: said["line"]["tone"] == "good")
    line.status = {"alarms": ("reject_rate",), "reject_rate": 0.31}
    line.say("alarm", "reject_rate: 62 of the last 200 parts, limit 25.0%")
    line.say("alarm", "focus_drift: 0.2, was 0.4 when the run began, limit 30%")
    said = news.until(lambda said: len(said["alarms"]) == 2 and said["reject_rate"]["alarm"])
    assert said["alarms"][1] == "reject_rate: 62 of the last 200 parts, limit 25.0%"
    assert said["reject_rate"] == {"value": 0.31, "limit": 0.25, "of": 200, "alarm": True}
    line.say("child_died", "inspector exited: signal SIGKILL")  # and with it what it compared with
    line.status = {}
    news.until(lambda said: said["alarms"] == [])


@pytest.mark.slow
def test_what_the_page_did_not_hear_is_counted_and_mended_by_the_log(line: Any, news: Any) -> None:
    news.until(lambda said: said["line"]["tone"] == "good")
    line.decide()
    news.until(lambda said: said["decided"] == 1)
    unheard = line.decide(Cause.DEFECT, (CRACK,), heard=False)
    said = news.until(lambda said: said["missed"] == 1)
    assert said["decided"] == 1
    line.log(unheard)
    said = news.until(lambda said: said["decided"] == 2)
    assert (said["missed"], said["defects"], said["rejects"][0]["title"]) == (1, 1, "crack 0.93")


def test_rejects_come_with_their_picture_and_box_once_it_is_written(line: Any, page: Any, news: Any) -> None:
    news.until(lambda said: said["line"]["tone"] == "good")
    record = line.decide(Cause.DEFECT, (CRACK,))
    said = news.until(lambda said: said["rejects"])
    assert said["rejects"][0]["no_picture"] == "waiting for the recorder"
    line.log(record)
    (reject,) = news.until(lambda said: said["rejects"][0]["picture"])["rejects"]
    x, y, width, height = reject["view"]
    box = reject["boxes"][0]
    assert x <= box["x"] and box["x"] + box["width"] <= x + width <= 320
    assert y <= box["y"] and box["y"] + box["height"] <= y + height <= 320
    status, _ = page.get(reject["picture"].removeprefix("/"))
    assert status == 200
    for file in (line.folder / "out").rglob("*.png"):
        file.unlink()
    assert page.get(reject["picture"].removeprefix("/")) == (404, "this picture is gone\n")
    line.log(line.decide(Cause.TIMEOUT), picture=False)
    said = news.until(lambda said: len(said["rejects"]) == 2 and said["rejects"][0]["why"])
    assert (said["rejects"][0]["no_picture"], said["rejects"][0]["why"]) == (
        "the camera gave none", "no inspection in time",
    )  # fmt: skip
    assert dict(said["slack"]["stages"])["capture"] == pytest.approx(5.0)


@pytest.mark.slow
def test_a_page_started_later_knows_the_shift_from_the_log(line: Any, opened: Callable[[], Any]) -> None:
    for cause in (Cause.OK, Cause.OK, Cause.DEFECT):
        line.log(line.decide(cause, (CRACK,) if cause is Cause.DEFECT else ()))
    with (line.folder / "out" / line.run / "decisions.sqlite-wal").open("ab") as log:
        log.write(b'{"seq": 4, "tor' * 100)
    news = opened()
    said = news.until(lambda said: said["decided"] == 3 and said["line"]["tone"] == "good")
    assert (said["passed"], said["defects"], len(said["rejects"])) == (2, 1, 1)
    line.decide()
    news.until(lambda said: said["decided"] == 4)


@pytest.mark.slow
def test_a_new_run_goes_on_counting_the_shift(line: Any, news: Any) -> None:
    news.until(lambda said: said["line"]["tone"] == "good")
    line.decide()
    line.say("stopped", "1 triggers, 1 decisions")
    news.until(lambda said: said["line"]["word"] == "STOPPING")
    line.run, line.seq = "20261122T130000-fedcba", 0
    news.until(lambda said: said["run"] == line.run and said["line"]["tone"] == "good")
    line.decide()
    said = news.until(lambda said: said["decided"] == 2)
    assert said["missed"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["decisions.sqlite", "decisions.jsonl"])
def test_rubbish_on_the_wire_and_in_the_log_ends_nothing(line: Any, page: Any, news: Any, name: str) -> None:
    news.until(lambda said: said["line"]["tone"] == "good")
    with line._lock:
        for frames in ([b"t1.decision", b"{}"], [b"t1.new", b"{}"], [b"t1.status"], [b"t1.", b"\xff", b"x"]):
            line._observers.socket.send_multipart(frames)
    folder = line.folder / "out" / line.run
    folder.mkdir(parents=True)
    (folder / name).write_bytes(b"\xff\xfe\n{}\nnull\n[1]\n" + b"x" * 3_000_000 + b"\n")
    line.decide(Cause.DEFECT, (CRACK,))
    news.until(lambda said: said["decided"] == 1 and said["line"]["tone"] == "good")
    assert page.process.poll() is None


@pytest.mark.parametrize(
    "path",
    [
        "pictures/x/crops/00000001_a_1.png", "pictures/../station.yaml", "pictures/%2e%2e/frames/00000001.png",
        "pictures/x/frames/..%2f..%2fstation.yaml", "pictures/x/decisions.jsonl", "nothing", "static/../app.py",
        "static/%2e%2e/app.py",
    ],
)  # fmt: skip
def test_no_other_file_can_be_had(lone_page: Any, path: str) -> None:
    assert lone_page.get(path)[0] == 404


def test_other_names_for_this_machine_are_refused_and_nothing_from_elsewhere_is_loaded(lone_page: Any) -> None:
    assert lone_page.get("", Host="evil.example")[0] == 400
    for name in ("index.html", "page.js", "page.css", "dom.js", "figures.js", "rejects.js", "speech.js", "theme.js"):
        status, text = lone_page.get("static/" + name)
        assert status == 200
        assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w.]+\.\w+", text), name


def test_ends_in_order_with_pages_open(page: Any, news: Any) -> None:
    news.until(lambda said: said)
    assert page.stop() == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_without_a_line(line: Any, page: Any, number: signal.Signals) -> None:
    line.alive = False
    assert page.get("readyz") == (503, f"NO LINE: nothing heard yet at ipc://{line.folder}/t1/observers.sock\n")
    os.kill(page.process.pid, number)
    assert page.process.wait(30) == 0


def test_a_port_that_is_taken_is_one_line(line: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "linewatch", "dashboard", str(line.path), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 4
    assert done.stderr == f"linewatch: dashboard 127.0.0.1:{port}: is taken by another program\n"


@pytest.mark.slow
def test_a_line_with_keys_is_heard_once_the_page_is_allowed(line: Any, request: pytest.FixtureRequest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    ring = Keyring(line.folder / "keys")
    for name in ("server", "dashboard"):
        ring.add(name, *new_pair())
    endpoints = {"observers": f"tcp://127.0.0.1:{port}", "actuators": "ipc://@runtime/a.sock"}
    line.write_station(endpoints=endpoints, dashboard={"port": 0, "key": "keys/dashboard.key"})
    publisher = Publisher(load_station(line.path), line.run, line.folder)
    try:
        page = request.getfixturevalue("page")
        turn(publisher, 3.0)
        assert page.get("readyz")[0] == 503
        assert publisher.admission is not None and publisher.admission.refusals.count
        ring.allow(ring.folder / "dashboard.pub")
        end = time.monotonic() + 60
        while b"linewatch_heartbeat_age_seconds +Inf" in page.get("metrics")[1].encode():
            assert time.monotonic() < end
            turn(publisher, 0.5)
    finally:
        publisher.close()


def turn(publisher: Publisher, seconds: float) -> None:
    """What the controller's loop does with it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert publisher.admission is not None
        for asked, answer in publisher.admission.handlers().items():
            if asked.poll(0):
                answer()
        publisher.welcome_observers(time.monotonic_ns())
        publisher.tick(time.monotonic_ns())
        publisher.beat(0, 1, time.monotonic_ns())
        time.sleep(0.01)
