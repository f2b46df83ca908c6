"""Edges placed by the gate's clock: right after a stall, and never fooled by a clock that is none."""

from linewatch.triggers.gate_clock import GateClock

MS = 1_000_000


def test_a_stall_does_not_move_the_parts() -> None:
    clock = GateClock()
    for number in range(10):
        clock.place((1000 + 50 * number) * MS, 50_000 * number)
    true_ms = [1500, 1550, 1600]  # all three read at once, 400 ms late
    placed = [clock.place(1900 * MS, 50_000 * (10 + number)) for number in range(3)]
    assert placed == [at * MS for at in true_ms]


def test_driver_latency_is_taken_off() -> None:
    clock = GateClock()
    for number in range(10):
        late_ms = 3 if number % 3 else 0
        placed = clock.place((1000 + 50 * number + late_ms) * MS, 50_000 * number)
    assert placed == (1000 + 50 * 9) * MS


def test_never_later_than_it_was_read() -> None:
    clock = GateClock()
    for number in range(200):
        read_ns = (1000 + 50 * number + number * 7 % 4) * MS
        assert clock.place(read_ns, 50_010 * number) <= read_ns


def test_clocks_that_are_none_are_not_believed() -> None:
    for gate_us in (lambda _n: 0, lambda n: n, lambda n: n * 1000, lambda n: 10**9 - 50_000 * n):
        clock = GateClock()
        for number in range(50):
            read_ns = (1000 + 50 * number) * MS
            assert clock.place(read_ns, gate_us(number)) == read_ns


def test_a_gate_that_starts_again_is_believed_anew() -> None:
    clock = GateClock()
    for number in range(10):
        clock.place((1000 + 50 * number) * MS, 50_000 * number)
    for number in range(10):
        read_ns = (9000 + 50 * number) * MS
        assert clock.place(read_ns, 70_000 + 50_000 * number) == read_ns
