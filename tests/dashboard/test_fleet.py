"""The fleet's page over the real pages of stations, and over everything else that may answer at an address."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from linewatch.cli import main
from linewatch.core.errors import StationError, UsageError
from linewatch.core.fleet import fleet_of, load_fleet
from linewatch.core.messages import Cause
from linewatch.dashboard.fleet.reading import read
from linewatch.dashboard.fleet.trouble import Trouble

OLD = b"""# TYPE linewatch_station_info gauge
linewatch_station_info{model="bottle-bottom",recipe="flint-330",sha256="ab",station="old",calibration=""} 1.0
# TYPE linewatch_ready gauge
linewatch_ready 1.0
"""
OTHERS = b"# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 3.5\n"
ANSWERS = {
    "html": (200, b"<!doctype html><html><body>printer</body></html>"),
    "others": (200, OTHERS),
    "old": (200, OLD),
    "binary": (200, bytes(range(256)) * 20),
    "endless": (200, b"a 1\n" * 200_000),
    "empty": (200, b""),
    "moved": (301, b""),
}


class _Answering(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS.get(self.path.split("/")[1], (404, b"nothing here"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def web() -> Iterator[str]:
    """The address of a real HTTP server that is no station."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def by_name(page: dict[str, Any]) -> dict[str, Any]:
    return {station["name"]: station for station in page.get("stations", ())}


def word_of(page: dict[str, Any], name: str) -> str:
    return str(by_name(page).get(name, {}).get("word", ""))


@pytest.mark.slow
def test_stations_killed_stopped_and_strange(
    stations: Callable[[str], Any], fleet_page: Callable[..., Any], read_news: Callable[[str], Any], web: str
) -> None:
    first, second = stations("t1"), stations("t2")
    listed = [
        {"name": "hall 1", "url": first.page.url},
        {"name": "hall 2", "url": second.page.url + "metrics"},
        {"name": "printer", "url": web + "/html"},
    ]
    page = fleet_page({"stations": listed, "every_s": 0.2, "timeout_s": 1.0})
    news = read_news(page.url)
    news.until(lambda said: said["well"] == 2)
    for cause in (Cause.OK, Cause.OK, Cause.TIMEOUT):
        first.line.decide(cause)
    first.line.status = {"alarms": ("reject_rate",), "reject_rate": 0.31, "failsafe_rate": 0.02}
    said = news.until(lambda said: by_name(said)["hall 1"]["alarms"])
    assert [station["name"] for station in said["stations"]] == ["printer", "hall 1", "hall 2"]
    assert word_of(said, "printer") == "NONSENSE" and said["well"] == 1
    hall = by_name(said)["hall 1"]
    assert (hall["word"], hall["tone"], hall["itself"], hall["url"]) == ("RUNNING", "reject", "t1", first.page.url)
    assert (hall["verdict"], hall["verdict_tone"]) == ("REJECT", "doubt")
    assert (hall["passed"], hall["defects"], hall["doubts"]) == (2, 0, 1)
    assert hall["reject_rate"] == {"value": 0.31, "limit": 0.25, "of": 0, "alarm": True}
    assert hall["failsafe_rate"]["value"] == 0.02
    assert (hall["model"], hall["recipe"], len(hall["sha256"])) == ("bottle-bottom", "flint-330", 12)
    assert 0 <= hall["verdict_s"] < 60 and hall["per_minute"] > 0

    first.page.process.kill()
    said = news.until(lambda said: word_of(said, "hall 1") == "UNREACHABLE")
    gone = by_name(said)["hall 1"]
    assert "connection refused" in gone["detail"] and len(gone["since"]) == 8 and gone["verdict_s"] is None
    assert (gone["model"], gone["passed"]) == ("bottle-bottom", None)
    os.kill(second.page.process.pid, signal.SIGSTOP)
    said = news.until(lambda said: word_of(said, "hall 2") == "UNREACHABLE")
    assert "no answer within 1 s" in by_name(said)["hall 2"]["detail"]
    os.kill(second.page.process.pid, signal.SIGCONT)
    said = news.until(lambda said: word_of(said, "hall 2") == "RUNNING")
    assert (by_name(said)["hall 2"]["since"], said["stations"][-1]["name"]) == ("", "hall 2")
    second.line.alive = False
    said = news.until(lambda said: word_of(said, "hall 2") == "LINE SILENT")
    assert by_name(said)["hall 2"]["tone"] == "bad"
    assert json.loads(page.get("fleet.json")[1])["well"] == 0
    assert page.get("healthz") == (200, "ok\n")
    assert page.get("", Host="evil.example")[0] == 400
    assert page.stop() == (0, "")


@pytest.mark.slow
def test_a_dead_station_delays_none(
    stations: Callable[[str], Any], fleet_page: Callable[..., Any], read_news: Callable[[str], Any]
) -> None:
    alive = stations("t1")
    with socket.create_server(("127.0.0.1", 0), backlog=100) as deaf:  # takes every connection, says nothing
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        listed = [{"url": f"{url}/{number}/"} for number in range(20)]
        document = {"stations": [*listed, {"url": alive.page.url}], "every_s": 0.2, "timeout_s": 30.0}
        news = read_news(fleet_page(document).url)
        news.until(lambda said: word_of(said, "t1") == "RUNNING", 20.0)  # long before any time-out
        alive.line.decide()
        news.until(lambda said: by_name(said)["t1"]["passed"] == 1, 20.0)


@pytest.mark.parametrize(
    ("path", "word", "detail"),
    [
        ("html", "NONSENSE", "what it answers are no metrics"),
        ("binary", "NONSENSE", "what it answers are no metrics"),
        ("endless", "NONSENSE", "answers more than 256 kB"),
        ("others", "WRONG ADDRESS", "its metrics are not a linewatch station's"),
        ("empty", "WRONG ADDRESS", "its metrics are not a linewatch station's"),
        ("nothing", "WRONG ADDRESS", "answers 404 Not Found"),
        ("moved", "WRONG ADDRESS", "answers 301"),
        ("old", "OTHER VERSION", "it is linewatch an older one, whose metrics have no linewatch_state"),
    ],
)
def test_what_is_no_station_is_named(
    web: str, capsys: pytest.CaptureFixture[str], path: str, word: str, detail: str
) -> None:
    assert main(["fleet", "--json", f"{web}/{path}/"]) == 1
    (station,) = json.loads(capsys.readouterr().out)["stations"]
    assert station["word"] == word and station["detail"].startswith(detail), station
    assert station["tone"] == ("doubt" if path == "old" else "bad")


@pytest.mark.parametrize(
    ("said", "word", "detail"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "NONSENSE", "does not speak http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "NONSENSE", "does not speak http"),
        (b"", "NONSENSE", "does not speak http"),
        pytest.param(None, "UNREACHABLE", "no answer within 2 s", marks=pytest.mark.slow),
    ],
)
def test_a_port_that_is_not_of_the_web(
    capsys: pytest.CaptureFixture[str], said: bytes | None, word: str, detail: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            peer, _ = server.accept()
            if said is not None:
                peer.recv(4096)
                peer.sendall(said)
                peer.close()
            else:
                time.sleep(3)
                peer.close()

        thread = threading.Thread(target=answer)
        thread.start()
        assert main(["fleet", "--json", f"http://127.0.0.1:{server.getsockname()[1]}"]) == 1
        thread.join()
    (station,) = json.loads(capsys.readouterr().out)["stations"]
    assert (station["word"], detail in station["detail"].lower()) == (word, True), station


@pytest.mark.parametrize(
    "body",
    [
        OLD + b'linewatch_state{state="RUNNING"} NaN\n',
        OLD + b'linewatch_state{state="RUNNING\n',
        OLD + b"linewatch_state{} 1 2 3 4\n",
        OLD + b"\xff\xfe\n",
        b"{}\n{",
        b"# TYPE\n# HELP\n# EOF",
        b"linewatch_state 1e999\n",
        b"a{" * 5000,
    ],
)
def test_no_bytes_are_more_than_trouble(body: bytes) -> None:
    with pytest.raises(Trouble):
        read(body)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stations: []", "stations: Tuple should have at least 1 item"),
        ("stations: [{url: 'ftp://a/'}]", "stations.0.url: 'ftp://a/': must be an address like http://"),
        ("stations: [{url: 'http://a:99999/'}]", "stations.0.url: 'http://a:99999/': is no address"),
        ("stations: [{url: 'http://a/?x=1'}]", "must be plain"),
        ("stations: [{url: 'http://a/'}, {url: 'http://a/metrics'}]", "two stations have the url 'http://a/'"),
        ("stations: [{name: x, url: 'http://a'}, {name: x, url: 'http://b'}]", "two stations have the name 'x'"),
        ("{stations: [{url: 'http://a'}], host: 0.0.0.0}", "open_to_network must say the words"),
        ("{stations: [{url: 'http://a'}], host: hall}", "must be localhost or an IP address"),
        ("{stations: [{url: 'http://a'}], timeout_s: 0}", "timeout_s: 0: Input should be greater"),
        ("{stations: [{adress: 'http://a'}]}", "stations.0.url: Field required"),
        ("- a", "must be a YAML mapping"),
        ("a: [", "is not YAML"),
    ],
)
def test_a_wrong_list_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "fleet.yaml"
    path.write_text(text)
    with pytest.raises(StationError) as caught:
        load_fleet(path)
    assert str(path) in str(caught.value) and said in str(caught.value)


def test_addresses_as_arguments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    urls = ["http://127.0.0.1:9/metrics", "http://[::1]:9", "https://127.0.0.1:9/line-3/metrics"]
    found = fleet_of(urls)
    assert [one.url for one in found.stations] == [
        "http://127.0.0.1:9/",
        "http://[::1]:9/",
        "https://127.0.0.1:9/line-3/",
    ]
    with pytest.raises(UsageError, match="two stations"):
        fleet_of(["http://a", "http://a/"])
    assert main(["fleet", "--json", *urls]) == 1
    assert {one["word"] for one in json.loads(capsys.readouterr().out)["stations"]} == {"UNREACHABLE"}
    assert main(["fleet", str(tmp_path / "a.yaml"), "http://a"]) == 2
    assert "takes one file, or addresses" in capsys.readouterr().err
    assert main(["fleet", str(tmp_path / "none.yaml")]) == 3
    assert "none.yaml: No such file or directory" in capsys.readouterr().err


@pytest.mark.slow
def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "linewatch", "fleet", "http://127.0.0.1:9/", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 4
    assert done.stderr == f"linewatch: fleet 127.0.0.1:{port}: is taken by another program\n"
