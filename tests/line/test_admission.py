"""Who gets in over tcp: real sockets on both sides, the loop that the controller would turn in between."""

import contextlib
import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from linewatch.core.curve import ClientKeys, new_pair, secure_client
from linewatch.core.errors import StationError
from linewatch.core.keyring import Keyring
from linewatch.core.station import Station
from linewatch.core.wire import Heartbeat, Welcome, unpack
from linewatch.line import zap
from linewatch.line.admission import COMPLAIN_NS, LOOK_NS, REOPEN_NS
from linewatch.line.publisher import Publisher
from linewatch.line.refusals import TELL_NS, Refusals

LIMIT_S = 20.0
REGISTER = b'{"type":"register","v":1,"name":"rej","run":"","seq":0}'


class Site:
    """Keys, a publisher on tcp, and the turns of its loop. notes: kind and text of all so far."""

    def __init__(self, folder: Path, **endpoints: str) -> None:
        self.ring = Keyring(folder / "keys")
        self.ring.add("server", *new_pair())
        self.notes: list[tuple[str, str]] = []
        tcp = {"observers": "tcp://127.0.0.1:*", "actuators": "tcp://127.0.0.1:*"}
        self.publisher = Publisher(station(self.ring.folder, {**tcp, **endpoints}), "run-1", folder)
        self._poller = zmq.Poller()
        assert self.publisher.admission is not None
        self._handlers: dict[Any, Callable[[], None]] = {
            self.publisher.actuators.socket: self._hear,
            **self.publisher.admission.handlers(),
        }
        for source in self._handlers:
            self._poller.register(source, zmq.POLLIN)

    def client(self, name: str = "rej", *, allowed: bool = True) -> ClientKeys:
        secret, public = self.ring.add(name, *new_pair())
        if allowed:
            self.ring.allow(public)
        return ClientKeys.read(self.ring.folder / "server.pub", secret)

    def turn_until(self, condition: Callable[[], bool], limit_s: float = LIMIT_S) -> bool:
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            for source, _ in self._poller.poll(5):
                self._handlers[source]()
            now_ns = time.monotonic_ns()
            self.notes += [(note.kind, note.text) for note in self.publisher.tick(now_ns)]
            self.publisher.beat(0, 1, now_ns)
            if condition():
                return True
        return False

    def told(self, kind: str) -> list[str]:
        return [text for told, text in self.notes if told == kind]

    @property
    def refused(self) -> int:
        assert self.publisher.admission is not None
        return self.publisher.admission.refusals.count

    def _hear(self) -> None:
        self.notes += [(note.kind, note.text) for note in self.publisher.actuators.receive(time.monotonic_ns())]


def station(keys: Path, endpoints: dict[str, str]) -> Station:
    document = {
        "name": "t1",
        "gate": {"kind": "framed", "port": "x"},
        "camera": {"kind": "simulated"},
        "detector": {"model": "m"},
        "acceptance": [{"class": "*"}],
        "rejecter": {"transport_ms": 1000},
        "security": {"folder": str(keys)},
        "endpoints": endpoints,
    }
    return Station.model_validate(document)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.publisher.close()


class Plain:
    """A client's bare socket: a DEALER that registers, or a SUB."""

    def __init__(self, context: zmq.Context[Any], kind: int, endpoint: str, keys: ClientKeys | None) -> None:
        self.socket = context.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        if keys is not None:
            secure_client(self.socket, keys)
        self.heard: list[Any] = []
        if kind == zmq.SUB:
            self.socket.subscribe(b"")
        self.socket.connect(endpoint)
        if kind == zmq.DEALER:
            self.socket.send(REGISTER)

    def listen(self) -> bool:
        while self.socket.poll(0):
            self.heard.append(unpack(self.socket.recv_multipart()))
        return bool(self.heard)


@pytest.fixture
def connect(site: Site) -> Iterator[Callable[..., Plain]]:
    made: list[Plain] = []
    with zmq.Context() as context:

        def plain(kind: int, keys: ClientKeys | None) -> Plain:
            endpoint = site.publisher.endpoints[0 if kind == zmq.SUB else 1]
            made.append(Plain(context, kind, endpoint, keys))
            return made[-1]

        yield plain
        for one in made:
            one.socket.close()


def test_the_right_key_gets_in_on_both_sockets(site: Site, connect: Callable[..., Plain]) -> None:
    keys = site.client()
    assert site.turn_until(lambda: bool(site.told("keys_changed")))
    actuator, observer = connect(zmq.DEALER, keys), connect(zmq.SUB, keys)
    assert site.turn_until(lambda: actuator.listen() & observer.listen())
    assert isinstance(actuator.heard[0], Welcome)
    assert isinstance(observer.heard[0], Heartbeat)
    assert site.told("actuator_registered") == ["rej is new"]
    assert site.refused == 0


@pytest.mark.parametrize("kind", [zmq.DEALER, zmq.SUB])
@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("a key that is not allowed", "127.0.0.1: key "),
        ("another line's key", "a client has another public key for this line"),
        ("no key", r"a client (spoke without keys|broke off before it had shown a key)"),  # whoever notices first
    ],
)
def test_others_do_not_and_it_is_told(
    site: Site, connect: Callable[..., Plain], kind: int, who: str, said: str
) -> None:
    if who == "no key":
        keys = None
    elif who == "another line's key":
        keys = ClientKeys(new_pair()[0], site.client().secret)
    else:
        keys = site.client(allowed=False)
    client = connect(kind, keys)
    assert site.turn_until(lambda: bool(site.told("handshake_refused")))
    site.turn_until(lambda: client.listen(), 0.1)
    assert client.heard == []
    assert site.told("actuator_registered") == []
    assert re.search(said, site.told("handshake_refused")[0])
    assert site.refused >= 1


def test_a_revoked_client_is_cut_off_and_the_others_come_back(site: Site, connect: Callable[..., Plain]) -> None:
    bad, good = site.client("bad"), site.client("good")
    assert site.turn_until(lambda: bool(site.told("keys_changed")))
    clients = [connect(kind, keys) for keys in (bad, good) for kind in (zmq.DEALER, zmq.SUB)]
    assert site.turn_until(lambda: sum(client.listen() for client in clients) == len(clients))
    site.ring.revoke("bad")
    assert site.turn_until(lambda: len(site.told("keys_changed")) == 2)
    assert site.told("keys_changed")[1] == "1 clients are allowed, revoked: bad"
    assert site.turn_until(lambda: any("is not allowed" in text for text in site.told("handshake_refused")))
    for client in clients:
        client.listen()
        client.heard.clear()
    clients[2].socket.send(REGISTER.replace(b'"rej"', b'"good"'))
    assert site.turn_until(lambda: clients[2].listen() & clients[3].listen())
    assert [client.heard for client in clients[:2]] == [[], []]


@contextlib.contextmanager
def taken(port: int) -> Iterator[None]:
    """Another program on `port`, as soon as libzmq has given it back."""
    end = time.monotonic() + LIMIT_S
    while True:
        try:
            server = socket.create_server(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.01)
            continue
        with server:
            yield
        return


@pytest.mark.slow
def test_a_port_that_is_taken_meanwhile_is_told_and_taken_back(site: Site, connect: Callable[..., Plain]) -> None:
    keys = site.client()
    assert site.turn_until(lambda: bool(site.told("keys_changed")))
    assert site.turn_until(connect(zmq.DEALER, keys).listen)
    site.ring.revoke("rej")
    admission = site.publisher.admission
    assert admission is not None
    now_ns = time.monotonic_ns() + LOOK_NS
    assert [note.kind for note in admission.tick(now_ns)] == ["keys_changed"]
    with taken(int(site.publisher.endpoints[1].rpartition(":")[2])):
        assert [note.kind for note in admission.tick(now_ns + REOPEN_NS)] == []
        notes = [note for note in admission.tick(now_ns + COMPLAIN_NS) if note.kind == "endpoint_shut"]
        assert [note.text.partition(":")[0] for note in notes] == ["actuators"]
    site.ring.allow(site.ring.folder / "rej.pub")
    assert site.turn_until(lambda: len(site.told("keys_changed")) == 2)
    assert site.turn_until(connect(zmq.DEALER, keys).listen)


@pytest.mark.slow
def test_revoking_a_client_that_was_never_there_disturbs_nobody(site: Site, connect: Callable[..., Plain]) -> None:
    site.client("absent")
    keys = site.client("good")
    assert site.turn_until(lambda: bool(site.told("keys_changed")))
    actuator = connect(zmq.DEALER, keys)
    assert site.turn_until(actuator.listen)
    site.ring.revoke("absent")
    assert site.turn_until(lambda: len(site.told("keys_changed")) == 2)
    actuator.heard.clear()
    assert site.turn_until(actuator.listen)
    assert site.told("handshake_refused") == []


@pytest.mark.slow
def test_a_folder_that_goes_bad_lets_nobody_in_and_says_so(site: Site, connect: Callable[..., Plain]) -> None:
    keys = site.client()
    assert site.turn_until(lambda: bool(site.told("keys_changed")))
    site.ring.allowed_folder.rename(site.ring.folder / "elsewhere")
    assert site.turn_until(lambda: bool(site.told("keys_wrong")))
    assert "allowed: No such file" in site.told("keys_wrong")[0]
    connect(zmq.DEALER, keys)
    assert site.turn_until(lambda: bool(site.told("handshake_refused")))


def test_one_socket_may_be_ipc(tmp_path: Path) -> None:
    site = Site(tmp_path, observers="ipc://@runtime/o")
    with zmq.Context() as context:
        observer = Plain(context, zmq.SUB, site.publisher.endpoints[0], None)
        assert site.turn_until(observer.listen)
        observer.socket.close()
    site.publisher.close()


def test_the_words_take_the_keys_off(tmp_path: Path) -> None:
    words = "i accept that anyone on this network can read and forge decisions"
    endpoints = {"observers": "tcp://127.0.0.1:*", "actuators": "tcp://127.0.0.1:*", "plaintext": words}
    publisher = Publisher(station(tmp_path / "none", endpoints), "run-1", tmp_path)
    assert publisher.admission is None
    publisher.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda ring: (ring.folder / "server.key").unlink(), "server.key: No such file"),
        (lambda ring: (ring.folder / "server.key").chmod(0o644), "server.key: '0644': others can read this secret"),
        (lambda ring: ring.allowed_folder.chmod(0o777), "allowed: '0777': others can put keys into this folder"),
        (lambda ring: ring.allowed_folder.rmdir(), "allowed: No such file"),
        (lambda ring: (ring.allowed_folder / "x.pub").write_text("nonsense"), "x.pub: is no key"),
    ],
)
def test_a_line_on_tcp_refuses_to_start_with_bad_keys(
    tmp_path: Path, damage: Callable[[Keyring], object], said: str
) -> None:
    ring = Keyring(tmp_path / "keys")
    ring.add("server", *new_pair())
    damage(ring)
    endpoints = {"observers": "tcp://127.0.0.1:*"}
    with pytest.raises(StationError) as error:
        Publisher(station(ring.folder, endpoints), "run-1", tmp_path)
    assert str(error.value).startswith("endpoints.observers: 'tcp://127.0.0.1:*': tcp needs keys, and ")
    assert said in str(error.value)
    assert error.value.exit_code == 3


def test_failures_are_all_counted_and_told_once_a_second() -> None:
    refusals = Refusals()
    for number in range(5):
        refusals.add("key", f"key {number}")
    refusals.add("odd", "odd")
    assert [note.text for note in refusals.notes(0)] == [
        "key 4 (and 4 more like it); 6 refused in this run",
        "odd; 6 refused in this run",
    ]
    refusals.add("key", "key 5")
    assert refusals.notes(TELL_NS - 1) == []
    assert [note.text for note in refusals.notes(TELL_NS)] == ["key 5; 7 refused in this run"]
    assert refusals.notes(9 * TELL_NS) == []


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b"1.0"],
        [b"1.0", b"1", b"d", b"a", b"", b"CURVE"],
        [b"1.0", b"1", b"d", b"a", b"", b"CURVE", b"short"],
        [b"1.0", b"1", b"d", b"a", b"", b"NULL"],
        [b"1.0", b"1", b"d", b"a", b"", b"PLAIN", b"user", b"password"],
        [b"2.0", b"1", b"d", b"a", b"", b"CURVE", bytes(32)],
    ],
)
def test_requests_that_are_not_of_curve_are_none(frames: list[bytes]) -> None:
    assert zap.parse(frames) is None


def test_a_request_and_its_answers() -> None:
    request = zap.parse([b"1.0", b"7", b"linewatch", b"10.0.0.8", b"", b"CURVE", bytes(32)])
    assert request == zap.Request(b"7", b"linewatch", "10.0.0.8", bytes(32))
    assert zap.accepted(request, "rej") == [b"1.0", b"7", b"200", b"OK", b"rej", b""]
    assert zap.denied(b"7")[:3] == [b"1.0", b"7", b"400"]
