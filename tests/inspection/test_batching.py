from hypothesis import given
from hypothesis import strategies as st

from linewatch.core.messages import Inspect
from linewatch.inspection.batching import Batch, RunTime, next_batch


def waiting(*deadlines_ns: int) -> list[Inspect]:
    return [Inspect(seq, 0, 2, deadline) for seq, deadline in enumerate(deadlines_ns, start=1)]


def seqs(requests: list[Inspect] | tuple[Inspect, ...]) -> list[int]:
    return [request.seq for request in requests]


def test_a_lone_part_starts_at_once() -> None:
    batch, rest = next_batch(waiting(100), now_ns=0, largest=4, shortest_ns=10)
    assert (seqs(batch.run), seqs(rest)) == ([1], [])


def test_earliest_deadline_goes_first() -> None:
    batch, rest = next_batch(waiting(300, 100, 200), now_ns=0, largest=2, shortest_ns=10)
    assert (seqs(batch.run), seqs(rest)) == ([2, 3], [1])


def test_expired_parts_are_answered_and_not_run() -> None:
    batch, rest = next_batch(waiting(50, 51, 10), now_ns=50, largest=4, shortest_ns=0)
    assert (seqs(batch.run), seqs(batch.expired), rest) == ([2], [3, 1], [])


def test_parts_that_cannot_be_done_in_time_give_way_to_those_that_can() -> None:
    batch, rest = next_batch(waiting(105, 200, 300), now_ns=100, largest=1, shortest_ns=50)
    assert (seqs(batch.run), seqs(batch.expired), seqs(rest)) == ([2], [1], [3])


def test_a_part_that_is_probably_late_is_tried_when_no_other_waits() -> None:
    batch, _ = next_batch(waiting(105), now_ns=100, largest=1, shortest_ns=50)
    assert batch == Batch(run=tuple(waiting(105)), expired=())


def test_run_time_forgets_a_stall_and_an_old_speed() -> None:
    run_time = RunTime()
    assert run_time.shortest_ns == 0
    for took in (5, 900, 7):
        run_time.add(took)
    assert run_time.shortest_ns == 5
    for _ in range(16):
        run_time.add(30)
    assert run_time.shortest_ns == 30


def test_overload_still_serves_every_third_part_in_time() -> None:
    """Parts every 100, each taking 300, deadline 900 after its trigger: without giving way all would end up late."""
    queue: list[Inspect] = []
    in_time, now, arrived = 0, 0, 0
    while arrived < 300:
        while arrived * 100 <= now:
            queue.append(Inspect(arrived, 0, 2, arrived * 100 + 900))
            arrived += 1
        batch, queue = next_batch(queue, now, largest=1, shortest_ns=300)
        now += 300 if batch.run else 100
        in_time += sum(request.deadline_ns >= now for request in batch.run)
    assert in_time >= 98


@given(st.lists(st.integers(0, 100), max_size=12), st.integers(0, 100), st.integers(1, 4), st.integers(0, 40))
def test_no_part_is_lost_or_doubled(deadlines: list[int], now: int, largest: int, shortest: int) -> None:
    batch, rest = next_batch(waiting(*deadlines), now, largest, shortest)
    everywhere = [*batch.run, *batch.expired, *rest]
    assert sorted(seqs(everywhere)) == list(range(1, len(deadlines) + 1))
    assert len(batch.run) <= largest
    assert all(request.deadline_ns > now for request in batch.run)
    assert batch.run or not rest
