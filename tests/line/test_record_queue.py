"""What is on its way to the recorder: nothing is lost when it dies, and what is lost after all is counted."""

from linewatch.core.messages import Cause, Decision, Record, Verdict
from linewatch.line.record_queue import RecordQueue


class Recorder:
    """Takes `room` records and logs none of them until told."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.got: list[int] = []

    def take(self, record: Record) -> bool:
        if len(self.got) >= self.room:
            return False
        self.got.append(record.decision.seq)
        return True


def fill(queue: RecordQueue, first: int, last: int) -> None:
    for seq in range(first, last + 1):
        queue.add(Record(Decision("s", "r", seq, Verdict.REJECT, Cause.TIMEOUT, 0, 0, 0, 1.0)))


def test_what_a_dead_recorder_had_not_logged_goes_to_the_next_in_the_old_order() -> None:
    recorder = Recorder(5)
    queue = RecordQueue(recorder.take)
    fill(queue, 1, 8)
    assert (recorder.got, queue.waiting) == ([1, 2, 3, 4, 5], 3)
    queue.logged(2)
    queue.recorder_died()
    assert queue.waiting == 6
    recorder.room, recorder.got = 100, []
    queue.flush()
    fill(queue, 9, 9)
    assert (recorder.got, queue.waiting, queue.lost) == ([3, 4, 5, 6, 7, 8, 9], 0, 0)
    queue.logged(7)
    queue.recorder_died()
    assert queue.waiting == 0


def test_the_oldest_are_given_up_and_counted_when_too_many_wait() -> None:
    recorder = Recorder(0)
    queue = RecordQueue(recorder.take, most=10)
    fill(queue, 1, 25)
    assert (queue.waiting, queue.lost) == (10, 15)
    recorder.room = 100
    queue.flush()
    assert recorder.got == list(range(16, 26))


def test_a_recorder_that_never_confirms_costs_bounded_memory() -> None:
    recorder = Recorder(1000)
    queue = RecordQueue(recorder.take, most=10)
    fill(queue, 1, 100)
    queue.recorder_died()
    assert (queue.waiting, queue.lost) == (10, 0)
