"""Who may reach the sockets, and what is said when they are taken."""

import socket
import stat
from pathlib import Path

import pytest
import zmq

from linewatch.core.errors import EndpointError, StationError
from linewatch.core.station import Endpoints
from linewatch.line.endpoints import bind, check_endpoint, needs_keys

WORDS = "i accept that anyone on this network can read and forge decisions"


@pytest.mark.parametrize("endpoint", ["ipc:///x", "tcp://127.0.0.1:5555", "tcp://localhost:*", "tcp://[::1]:5555"])
def test_ipc_and_tcp_are_what_there_is(endpoint: str) -> None:
    check_endpoint("observers", endpoint)


@pytest.mark.parametrize(
    "endpoint", ["tcp://*:5555", "tcp://127.0.0.1:5555", "tcp://192.168.0.4:5555", "tcp://eth0:5555", "tcp://[::]:5555"]
)
def test_tcp_needs_keys_or_the_words(endpoint: str) -> None:
    assert needs_keys(endpoint, "")
    assert not needs_keys(endpoint, WORDS)
    assert not needs_keys("ipc:///x", "")


@pytest.mark.parametrize(
    "endpoint", ["inproc://x", "udp://1.2.3.4:5", "nonsense", "", "ipc://", "TCP://*:5", "ws://*:5"]
)
def test_other_transports_are_refused(endpoint: str) -> None:
    with pytest.raises(StationError, match="must be ipc") as error:
        check_endpoint("actuators", endpoint)
    assert error.value.exit_code == 3


def test_an_ipc_endpoint_in_use_is_not_taken_over(tmp_path: Path) -> None:
    endpoints = Endpoints(observers="ipc://@runtime/o.sock")
    with zmq.Context() as context, context.socket(zmq.XPUB) as first, context.socket(zmq.XPUB) as second:
        assert bind(first, "observers", endpoints, tmp_path) == f"ipc://{tmp_path}/o.sock"
        assert stat.S_IMODE((tmp_path / "o.sock").stat().st_mode) & 0o077 == 0
        with pytest.raises(EndpointError, match=r"o\.sock: is taken by another program") as error:
            bind(second, "observers", endpoints, tmp_path)
        assert error.value.exit_code == 4


def test_a_stale_ipc_socket_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "o.sock"))
    with zmq.Context() as context, context.socket(zmq.XPUB) as first:
        bind(first, "observers", Endpoints(observers="ipc://@runtime/o.sock"), tmp_path)


def test_a_tcp_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, zmq.Context() as context:
        endpoint = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        with context.socket(zmq.XPUB) as ours, pytest.raises(EndpointError, match="is taken by another") as error:
            bind(ours, "observers", Endpoints(observers=endpoint), tmp_path)
        assert endpoint in str(error.value)


def test_a_path_that_is_too_long_is_named(tmp_path: Path) -> None:
    with zmq.Context() as context, context.socket(zmq.XPUB) as ours, pytest.raises(EndpointError, match="longer"):
        bind(ours, "observers", Endpoints(observers=f"ipc://@runtime/{'x' * 100}"), tmp_path)
