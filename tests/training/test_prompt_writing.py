"""Asking a language model for prompts.yaml, against a real server that speaks the chat protocol."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from linewatch.core.errors import EndpointError, LinewatchError, ModelError, StorageError, UsageError
from linewatch.training.prompt_writing import Writer, propose_prompts, write_prompts
from linewatch.training.prompts import load_prompts

CLASSES = ["dent", "stain"]
ANSWER = {name: [f"{name} seen in way {i}" for i in range(6)] for name in CLASSES}


class Server(ThreadingHTTPServer):
    """Answers every question with `status` and `body`; keeps what it was asked."""

    def __init__(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body, self.extra = status, body, headers
        self.asked: list[tuple[str, dict[str, str], Any]] = []

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(content)))
        self.send_response(self.server.status)
        for name, value in self.server.extra.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """The test's output stays clean."""


@contextmanager
def serving(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Iterator[Server]:
    with Server(status, body, headers or {}) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def completion(content: str) -> bytes:
    return json.dumps({"id": "x", "choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


def yes(shown: list[str]) -> Any:
    def confirm(difference: str) -> bool:
        shown.append(difference)
        return True

    return confirm


def test_the_answer_is_shown_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "secret")
    path, shown = tmp_path / "prompts.yaml", list[str]()
    path.write_text("provenance: by hand\nclasses:\n  dent: [old]\n  stain: [old]\n")
    with serving(completion(json.dumps(ANSWER))) as server:
        assert write_prompts(path, Writer(server.endpoint, "r1", "SOME_KEY"), CLASSES, "A glass bottle.", yes(shown))
    assert load_prompts(path, CLASSES) == {name: tuple(texts) for name, texts in ANSWER.items()}
    assert "-  dent: [old]\n" in shown[0]
    assert "+  - dent seen in way 0\n" in shown[0]
    address, headers, question = server.asked[0]
    assert address == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert question["model"] == "r1"
    assert "A glass bottle." in question["messages"][1]["content"]
    assert '["dent", "stain"]' in question["messages"][1]["content"]


def test_nothing_is_written_without_a_yes(tmp_path: Path) -> None:
    path = tmp_path / "prompts.yaml"
    with serving(completion(json.dumps(ANSWER))) as server:
        assert not write_prompts(path, Writer(server.endpoint, "r1"), CLASSES, "A bottle.", lambda _: False)
    assert list(tmp_path.iterdir()) == []
    assert "Authorization" not in server.asked[0][1]


def test_the_same_answer_again_asks_nobody(tmp_path: Path) -> None:
    path, shown = tmp_path / "prompts.yaml", list[str]()
    with serving(completion(json.dumps(ANSWER))) as server:
        writer = Writer(server.endpoint, "r1")
        assert write_prompts(path, writer, CLASSES, "A bottle.", yes(shown))
        assert not write_prompts(path, writer, CLASSES, "A bottle.", yes(shown))
    assert len(shown) == 1


@pytest.mark.parametrize(
    "content",
    [
        f"```json\n{json.dumps(ANSWER)}\n```",
        f"<think>a dent is {{}}\nor so</think>\n{json.dumps(ANSWER)}",
        json.dumps(dict(reversed(ANSWER.items()))),
    ],
)
def test_fences_reasoning_and_order_do_not_matter(content: str) -> None:
    with serving(completion(content)) as server:
        assert list(propose_prompts(Writer(server.endpoint, "r1"), CLASSES, "A bottle.").classes) == CLASSES


def without_last(name: str) -> dict[str, list[str]]:
    return {**ANSWER, name: ANSWER[name][:-1]}


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [
        (completion("Here you are."), ModelError, "answer of r1: 'Here you are.': is no JSON"),
        (completion("[]"), ModelError, "must map each class"),
        (completion(json.dumps({"dent": ANSWER["dent"]})), ModelError, "'stain': class has no descriptions"),
        (completion(json.dumps({**ANSWER, "rust": ANSWER["dent"]})), ModelError, "'rust': unknown class"),
        (completion(json.dumps(without_last("dent"))), ModelError, "dent: 5: too few"),
        (completion(json.dumps({n: t[:3] for n, t in ANSWER.items()})), ModelError, "must have 6 descriptions"),
        (completion(json.dumps({**ANSWER, "dent": [1, 2, 3, 4, 5, 6]})), ModelError, "dent: 1: a description must be"),
        (b"<html>", EndpointError, "does not speak the chat protocol"),
        (b'{"error": "no such model"}', EndpointError, "does not speak the chat protocol: .*choices"),
        (b'{"choices": []}', EndpointError, "no choices"),
        (b'{"choices": [{"message": {"content": null}}]}', EndpointError, "does not speak"),
        (b"\xff\xfe", EndpointError, "does not speak"),
    ],
)
def test_an_unusable_answer_is_refused(tmp_path: Path, body: bytes, kind: type[LinewatchError], reason: str) -> None:
    path, shown = tmp_path / "prompts.yaml", list[str]()
    with serving(body) as server, pytest.raises(kind, match=reason):
        write_prompts(path, Writer(server.endpoint, "r1"), CLASSES, "A bottle.", yes(shown))
    assert shown == []
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_says_what_the_server_said() -> None:
    with serving(b"bad key", status=401) as server, pytest.raises(EndpointError, match="401 Unauthorized: bad key"):
        propose_prompts(Writer(server.endpoint, "r1"), CLASSES, "A bottle.")


def test_an_answer_that_breaks_off_is_named() -> None:
    with (
        serving(b'{"choi', headers={"Content-Length": "999"}) as server,
        pytest.raises(EndpointError, match=r"does not speak|broke off"),
    ):
        propose_prompts(Writer(server.endpoint, "r1"), CLASSES, "A bottle.")


def test_an_endpoint_that_is_not_there_is_named() -> None:
    with serving(b"") as server:
        endpoint = server.endpoint
    with pytest.raises(EndpointError, match=r"/v1/chat/completions: cannot be reached: .*refused"):
        propose_prompts(Writer(endpoint, "r1"), CLASSES, "A bottle.")


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="NO_SUCH_KEY: the environment variable"):
        propose_prompts(Writer("http://127.0.0.1:9/v1", "r1", "NO_SUCH_KEY"), CLASSES, "A bottle.")
    with pytest.raises(UsageError, match="must start with http"):
        propose_prompts(Writer("file:///etc/passwd", "r1"), CLASSES, "A bottle.")
    with serving(completion(json.dumps(ANSWER))) as server, pytest.raises(StorageError, match="gone"):
        write_prompts(
            tmp_path / "gone" / "prompts.yaml", Writer(server.endpoint, "r1"), CLASSES, "A bottle.", lambda _: True
        )
