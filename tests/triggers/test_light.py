"""The light on a control line, and how an FTDI adapter's latency is found."""

import time
from pathlib import Path

from linewatch.triggers.light import LineLight
from linewatch.triggers.port import latency_ms


def test_the_light_goes_on_and_off_again_for_each_part() -> None:
    switched: list[tuple[bool, int]] = []
    light = LineLight(lambda on: switched.append((on, time.monotonic_ns())), duration_us=20_000)
    began = time.monotonic_ns()
    light.fire()
    light.fire()
    assert time.monotonic_ns() - began < 15_000_000
    time.sleep(0.1)
    light.close()
    assert [on for on, _ in switched] == [True, False, True, False]
    assert switched[1][1] - switched[0][1] >= 20_000_000


def test_a_port_that_is_gone_does_not_end_the_light() -> None:
    orders: list[bool] = []

    def broken(on: bool) -> None:
        orders.append(on)
        raise OSError("gone")

    light = LineLight(broken, duration_us=100)
    light.fire()
    light.fire()
    light.close()
    assert orders == [True, False, True, False]


def test_latency_timer_of_an_adapter(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB3").mkdir()
    (tmp_path / "ttyUSB3" / "latency_timer").write_text("16\n")
    (tmp_path / "by-id").symlink_to("/dev/ttyUSB3")
    assert latency_ms(str(tmp_path / "by-id"), devices=tmp_path) == 16
    assert latency_ms("/dev/ttyS0", devices=tmp_path) is None
