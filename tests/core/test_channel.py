"""The private channel between the controller and a child."""

import pytest

from linewatch.core.channel import Channel, ChannelClosed, channel_pair
from linewatch.core.messages import AnyMessage, Cause, Expose, Inspection, Stop


def test_messages_arrive_whole_and_in_order() -> None:
    ours, bare = channel_pair()
    theirs = Channel(bare)
    sent: list[AnyMessage] = [Expose(1, 5), Inspection(1, Cause.OK), Stop()]
    assert all(ours.send(message) for message in sent)
    assert list(theirs.receive()) == sent
    assert list(theirs.receive()) == []
    ours.close()
    theirs.close()


def test_a_full_channel_is_counted_and_never_waited_for() -> None:
    ours, bare = channel_pair()
    theirs = Channel(bare)
    while ours.send(Expose(1, 5)):
        pass
    assert ours.dropped == 1
    assert len(list(theirs.receive())) > 100
    assert ours.send(Expose(2, 6))
    ours.close()
    theirs.close()


def test_what_was_said_before_the_end_is_heard_first() -> None:
    ours, bare = channel_pair()
    theirs = Channel(bare)
    theirs.send(Expose(1, 5))
    theirs.close()
    messages = ours.receive()
    assert next(messages) == Expose(1, 5)
    with pytest.raises(ChannelClosed):
        next(messages)
    assert not ours.send(Stop())
    ours.close()


def test_what_was_said_is_heard_even_from_one_that_went_without_listening() -> None:
    ours, bare = channel_pair()
    theirs = Channel(bare)
    ours.send(Stop())
    for number in (1, 2):
        theirs.send(Expose(number, 5))
    theirs.close()
    messages = ours.receive()
    assert [next(messages), next(messages)] == [Expose(1, 5), Expose(2, 5)]
    with pytest.raises(ChannelClosed):
        next(messages)
    ours.close()


def test_garbage_is_counted_and_skipped() -> None:
    ours, bare = channel_pair()
    with bare:
        for datagram in (b"\xc1", b"hello", b"\x81\xa4type\xa6Gossip"):
            bare.send(datagram)
        assert list(ours.receive()) == []
    assert ours.garbled == 3
    ours.close()
