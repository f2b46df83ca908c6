"""The ROUTER side: every decision again until it is acknowledged, and again to those who come back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from linewatch.core.messages import Cause, Decision, Note, Tracking, Verdict
from linewatch.core.wire import (
    Ack,
    Belt,
    Ejected,
    FromActuator,
    FromLine,
    Heartbeat,
    Leave,
    Register,
    Welcome,
    WireDecision,
    pack_from_actuator,
    unpack,
    wire_decision,
)
from linewatch.line.actuator_link import MAX_PEERS, MEMORY, ActuatorLink
from linewatch.line.peer import LEAST_TIME_NS, RESEND_NS

MS = 1_000_000
Socket = zmq.Socket[bytes]


@pytest.fixture
def context() -> Iterator[zmq.Context[Socket]]:
    with zmq.Context() as context:
        yield context


@pytest.fixture
def link(context: zmq.Context[Socket], tmp_path: Path) -> Iterator[ActuatorLink]:
    link = ActuatorLink(context, "t1", "run-1")
    link.socket.bind(f"ipc://{tmp_path}/a")
    yield link
    link.close()


class Actuator:
    """The bare socket of an actuator."""

    def __init__(self, context: zmq.Context[Socket], folder: Path) -> None:
        self.socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.connect(f"ipc://{folder}/a")

    def say(self, link: ActuatorLink, message: FromActuator | bytes, now_ns: int = 0) -> list[Note]:
        self.socket.send(message if isinstance(message, bytes) else pack_from_actuator(message))
        assert link.socket.poll(3000)
        return link.receive(now_ns)

    def register(
        self, link: ActuatorLink, name: str = "rej", run: str = "", seq: int = 0, now_ns: int = 0
    ) -> list[str]:
        return [note.kind for note in self.say(link, Register(v=1, name=name, run=run, seq=seq), now_ns)]

    def heard(self, count: int) -> list[FromLine]:
        found: list[FromLine] = []
        while len(found) < count and self.socket.poll(3000):
            found.append(unpack(self.socket.recv_multipart()))
        assert not self.socket.poll(20)
        return found

    def seqs(self, count: int) -> list[int]:
        return [message.seq for message in self.heard(count) if isinstance(message, WireDecision)]


@pytest.fixture
def actuator(context: zmq.Context[Socket], tmp_path: Path) -> Iterator[Actuator]:
    one = Actuator(context, tmp_path)
    yield one
    one.socket.close()


def decision(seq: int, t_trigger_ns: int = 0) -> WireDecision:
    made = Decision("t1", "run-1", seq, Verdict.REJECT, Cause.DEFECT, t_trigger_ns, 1, 2, 980.0)
    return wire_decision(made, "m", "r")


def beat(seq: int) -> Heartbeat:
    return Heartbeat(v=1, station="t1", run="run-1", seq=seq, progress=1, t_ns=1)


def test_a_registered_actuator_gets_decisions_and_heartbeats_in_order(link: ActuatorLink, actuator: Actuator) -> None:
    link.decide(decision(1), 0)
    assert actuator.register(link, now_ns=2000 * MS) == ["actuator_registered"]
    link.decide(decision(2), 0)
    link.beat(beat(2))
    welcome, *rest = actuator.heard(4)
    assert welcome == Welcome(v=1, station="t1", run="run-1", since=0)
    assert rest == [decision(1), decision(2), beat(2)]


def test_unacknowledged_decisions_come_again_until_the_blow_and_are_then_counted(
    link: ActuatorLink, actuator: Actuator
) -> None:
    actuator.register(link)
    link.decide(decision(1), 0)
    link.decide(decision(2), 0)
    actuator.say(link, Ack(v=1, run="run-1", seq=2))
    assert link.next_due_ns() == RESEND_NS
    assert link.tick(RESEND_NS - 1) == []
    assert link.tick(RESEND_NS) == []
    assert actuator.seqs(4) == [1, 2, 1]
    assert link.tick(979 * MS) == []
    (note,) = link.tick(980 * MS)
    assert (note.kind, note.seq) == ("unconfirmed", 1)
    assert link.unconfirmed == 1
    assert link.next_due_ns() is None


def test_an_acknowledgement_of_another_run_counts_for_nothing(link: ActuatorLink, actuator: Actuator) -> None:
    actuator.register(link)
    link.decide(decision(1), 0)
    actuator.say(link, Ack(v=1, run="run-0", seq=1))
    assert link.next_due_ns() is not None


def test_one_that_comes_back_gets_what_it_missed_and_no_more(
    link: ActuatorLink, actuator: Actuator, context: zmq.Context[Socket], tmp_path: Path
) -> None:
    actuator.register(link)
    actuator.socket.close()
    for seq in (1, 2, 4, 3, 5):
        link.decide(decision(seq), 0)
    link.beat(beat(5))
    again = Actuator(context, tmp_path)
    assert again.register(link, run="run-1", seq=2) == ["actuator_registered"]
    assert again.heard(4)[0] == Welcome(v=1, station="t1", run="run-1", since=2)
    again.socket.close()


def test_a_newcomer_gets_only_what_it_can_still_act_on(link: ActuatorLink, actuator: Actuator) -> None:
    for seq in (1, 2, 3):
        link.decide(decision(seq, t_trigger_ns=seq * 100 * MS), 0)
    link.beat(beat(3))
    actuator.register(link, now_ns=1180 * MS)
    assert actuator.heard(2) == [Welcome(v=1, station="t1", run="run-1", since=2), decision(3, 300 * MS)]


def test_a_newcomer_gets_the_parts_on_a_belt_that_stands(link: ActuatorLink, actuator: Actuator) -> None:
    made = [
        wire_decision(
            Decision("t1", "run-1", seq, Verdict.REJECT, Cause.DEFECT, 0, 1, 2, 980.0,
                     tracking=Tracking(seq * 100, seq * 100 + 5000, 20.0)), "m", "r",
        )
        for seq in (1, 2, 3)
    ]  # fmt: skip
    for one in made:
        link.decide(one, 0)
    where = Belt(v=1, station="t1", run="run-1", count=5150, t_ns=1, trouble="")
    link.belt(where)
    link.beat(beat(3))
    actuator.register(link, now_ns=60_000 * MS)
    assert actuator.heard(3) == [Welcome(v=1, station="t1", run="run-1", since=1), *made[1:]]
    link.belt(where)
    assert actuator.heard(1) == [where]


def test_an_undecided_part_is_never_taken_for_one_that_is_over(link: ActuatorLink, actuator: Actuator) -> None:
    link.decide(decision(2, t_trigger_ns=100 * MS), 0)
    link.beat(beat(0))
    actuator.register(link, now_ns=5000 * MS)
    assert actuator.heard(2)[0] == Welcome(v=1, station="t1", run="run-1", since=0)


def test_one_of_the_run_before_gets_this_run_from_its_beginning(link: ActuatorLink, actuator: Actuator) -> None:
    link.decide(decision(1), 0)
    actuator.register(link, run="run-0", seq=900)
    assert actuator.heard(2) == [Welcome(v=1, station="t1", run="run-1", since=0), decision(1)]


def test_memory_is_bounded_and_what_is_forgotten_is_said(link: ActuatorLink, actuator: Actuator) -> None:
    for seq in range(1, MEMORY + 11):
        link.decide(decision(seq), 0)
    actuator.register(link, run="run-1", seq=3, now_ns=5000 * MS)
    welcome, *rest = actuator.heard(MEMORY + 1)
    assert welcome == Welcome(v=1, station="t1", run="run-1", since=10)
    assert len(rest) == MEMORY


def test_a_nonsense_position_does_not_hide_decisions_to_come(link: ActuatorLink, actuator: Actuator) -> None:
    link.decide(decision(1), 0)
    actuator.register(link, run="run-1", seq=10**9)
    assert actuator.heard(1) == [Welcome(v=1, station="t1", run="run-1", since=1)]


def test_nobody_is_welcomed_while_unseen_parts_are_on_the_belt(link: ActuatorLink, actuator: Actuator) -> None:
    link.hold(500 * MS)
    link.decide(decision(1, t_trigger_ns=100 * MS), 0)
    assert actuator.register(link, now_ns=499 * MS) == []
    link.beat(beat(1))
    assert not actuator.socket.poll(50)
    assert actuator.register(link, now_ns=500 * MS) == ["actuator_registered"]
    assert actuator.seqs(2) == [1]


def test_one_that_vanishes_is_missed_and_one_that_leaves_is_not(
    link: ActuatorLink, actuator: Actuator, context: zmq.Context[Socket], tmp_path: Path
) -> None:
    polite = Actuator(context, tmp_path)
    actuator.register(link, "rude")
    polite.register(link, "polite")
    assert [note.kind for note in polite.say(link, Leave(v=1, name="polite"))] == ["actuator_left"]
    actuator.socket.close()
    link.decide(decision(1), 0)
    (note,) = link.tick(980 * MS)
    assert "rude did not acknowledge 1 decisions" in note.text
    polite.socket.close()


def test_nobody_can_send_another_away(link: ActuatorLink, actuator: Actuator, context: zmq.Context[Socket],
                                      tmp_path: Path) -> None:  # fmt: skip
    actuator.register(link)
    stranger = Actuator(context, tmp_path)
    assert stranger.say(link, Leave(v=1, name="rej")) == []
    link.decide(decision(1), 0)
    assert actuator.seqs(2) == [1]
    stranger.socket.close()


def test_messages_that_are_none_are_counted_and_answered_by_nothing(link: ActuatorLink, actuator: Actuator) -> None:
    for payload in (b"", b"\xff", b"{}", b'{"type":"register","v":9,"name":"x","run":"","seq":0}'):
        assert [note.kind for note in actuator.say(link, payload)] == ["actuator_refused"]
    assert link.refused == 4
    assert not actuator.socket.poll(50)


def test_ejections_are_taken_from_registered_actuators_of_this_run(
    link: ActuatorLink, actuator: Actuator, context: zmq.Context[Socket], tmp_path: Path
) -> None:
    actuator.register(link)
    seen = Ejected(v=1, run="run-1", seq=1, confirmed=True)
    unseen = Ejected(v=1, run="run-1", seq=2, confirmed=False)
    assert actuator.say(link, seen) == []
    (note,) = actuator.say(link, unseen)
    assert (note.kind, note.seq) == ("ejection_unconfirmed", 2)
    assert actuator.say(link, Ejected(v=1, run="run-0", seq=3, confirmed=False)) == []
    stranger = Actuator(context, tmp_path)
    assert stranger.say(link, unseen) == []
    stranger.socket.close()
    assert link.ejections() == [seen, unseen]
    assert link.ejections() == []
    assert link.unconfirmed == 0  # that counts acknowledgements


def test_one_who_floods_the_line_is_disconnected_and_the_others_are_served(
    link: ActuatorLink, actuator: Actuator, context: zmq.Context[Socket], tmp_path: Path
) -> None:
    rude = Actuator(context, tmp_path)
    rude.socket.send(b"x" * 10_000_000)
    actuator.register(link)
    link.decide(decision(1), 0)
    assert actuator.seqs(2) == [1]
    assert link.refused == 0
    rude.socket.close()


def test_a_late_decision_is_repeated_for_a_while_all_the_same(link: ActuatorLink, actuator: Actuator) -> None:
    actuator.register(link)
    link.decide(decision(1), 990 * MS)
    assert link.tick(990 * MS + RESEND_NS) == []
    assert actuator.seqs(3) == [1, 1]
    assert len(link.tick(990 * MS + LEAST_TIME_NS)) == 1


def test_the_number_of_actuators_is_bounded(link: ActuatorLink, actuator: Actuator) -> None:
    for number in range(MAX_PEERS):
        actuator.register(link, f"rej-{number}")
    assert actuator.register(link, "one-too-many") == ["actuator_refused"]
