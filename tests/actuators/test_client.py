"""The actuator's client: every decision once, and reject all in any doubt."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from linewatch.actuators.client import Client
from linewatch.core.errors import EndpointError, UsageError
from linewatch.core.wire import WireDecision

Make = Callable[..., Any]


def receive(client: Client, until: Callable[[list[WireDecision]], bool], limit_s: float = 5.0) -> list[WireDecision]:
    """Receive until the decisions so far satisfy `until`."""
    found: list[WireDecision] = []
    end = time.monotonic() + limit_s
    while not until(found) and time.monotonic() < end:
        found += client.receive(10)
    return found


def settled(client: Client) -> None:
    receive(client, lambda _: not client.reject_all)
    assert client.reject_all == ""


def test_decisions_come_once_and_are_acknowledged(line: Any, decision: Make) -> None:
    with Client(line.endpoint, "t1", "rej") as client:
        assert client.reject_all == "no heartbeat"
        settled(client)
        line.decide(*(decision(seq) for seq in (2, 1, 3)))
        assert [one.seq for one in receive(client, lambda found: len(found) == 3)] == [2, 1, 3]
        receive(client, lambda _: False, limit_s=0.8)
        assert (client.seq, client.run, client.reject_all) == (3, "run-1", "")
        assert line.unconfirmed == 0
    time.sleep(0.1)
    assert line.notes == ["actuator_registered", "actuator_left"]


def test_a_silent_line_means_reject_all(line: Any) -> None:
    with Client(line.endpoint, "t1", "rej") as client:
        settled(client)
        line.silent = True
        began = time.monotonic()
        receive(client, lambda _: bool(client.reject_all))
        assert client.reject_all == "no heartbeat"
        assert 0.15 < time.monotonic() - began < 2.5
        line.silent = False
        settled(client)


def test_a_missing_decision_means_reject_all_until_it_has_come(line: Any, decision: Make) -> None:
    with Client(line.endpoint, "t1", "rej") as client:
        settled(client)
        line.decide(decision(1))
        receive(client, lambda found: len(found) == 1)
        line.up_to = 2
        receive(client, lambda _: bool(client.reject_all))
        assert client.reject_all == "1 decisions up to 2 are missing"
        line.decide(decision(2))
        assert [one.seq for one in receive(client, lambda found: len(found) == 1)] == [2]
        settled(client)


@pytest.mark.parametrize(
    "frames",
    [
        (b"t1.decision", b'{"v":2}'),
        (b"t1.decision", b"\xff\xfe"),
        (b"t1.decision",),
        (b"t1.gossip", b"{}"),
        (b"t2.heartbeat", b'{"v":1,"station":"t2","run":"r","seq":0,"progress":0,"t_ns":0}'),
    ],
)
def test_a_message_not_understood_means_reject_all_until_welcomed_anew(line: Any, frames: tuple[bytes, ...]) -> None:
    with Client(line.endpoint, "t1", "rej") as client:
        settled(client)
        line.send_raw(*frames)
        receive(client, lambda _: client.undecodable > 0)
        assert client.reject_all.startswith("message not understood")
        settled(client)
        assert client.undecodable == 1


def test_a_line_that_starts_again_opens_a_new_run(line: Any, decision: Make, new_line: Make) -> None:
    with Client(line.endpoint, "t1", "rej") as client:
        settled(client)
        line.decide(decision(1))
        receive(client, lambda found: len(found) == 1)
        line.close()
        receive(client, lambda _: bool(client.reject_all))
        second = new_line(line.endpoint, "run-2")
        second.decide(decision(1, run="run-2"))
        assert [(one.run, one.seq) for one in receive(client, lambda found: len(found) == 1)] == [("run-2", 1)]
        settled(client)
        assert (client.run, client.seq, client.lost) == ("run-2", 1, 0)


def test_an_actuator_that_comes_back_gets_what_it_missed(line: Any, decision: Make) -> None:
    with Client(line.endpoint, "t1", "rej") as client:
        settled(client)
        line.decide(decision(1))
        receive(client, lambda found: len(found) == 1)
        before = (client.run, client.seq)
    line.decide(decision(2), decision(3))
    with Client(line.endpoint, "t1", "rej", since=before) as client:
        assert [one.seq for one in receive(client, lambda found: len(found) == 2)] == [2, 3]
        settled(client)
        assert client.duplicates == 0


def test_an_actuator_that_is_slow_to_acknowledge_acts_once_all_the_same(line: Any, decision: Make) -> None:
    with Client(line.endpoint, "t1", "rej") as client:
        settled(client)
        line.decide(decision(1))
        time.sleep(0.15)
        assert len(receive(client, lambda _: client.duplicates > 0)) == 1
        assert client.seq == 1


def test_no_line_at_all(tmp_path: Any) -> None:
    with Client(f"ipc://{tmp_path}/nobody", "t1", "rej") as client:
        assert receive(client, lambda _: False, limit_s=0.3) == []
        assert client.reject_all == "no heartbeat"


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(EndpointError, match="nonsense"):
        Client("nonsense", "t1", "rej")
    with pytest.raises(UsageError, match="name"):
        Client("ipc:///tmp/x", "t1", "")
