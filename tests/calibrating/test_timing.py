"""`linewatch calibrate timing` on the virtual gate, with a moving bottle of known speed."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from linewatch.calibrating.motion import Seen, find_motion, motion_faults
from linewatch.calibrating.place import middle_of_part
from linewatch.calibrating.rejecter import Way, transport
from linewatch.calibrating.stepping import parse_delays
from linewatch.cli import main
from linewatch.core.errors import CalibrationError, UsageError
from linewatch.pictures.calibration import load_calibration
from linewatch.sim.gate import VirtualGate

WriteStation = Callable[..., Path]
SPEED, CENTRED_MS, MM_PER_PX = 0.8, 160.0, 0.5
MOVING = {
    "kind": "simulated", "width": 128, "height": 128, "speed_px_per_ms": SPEED, "centred_ms": CENTRED_MS,
}  # fmt: skip


@pytest.mark.slow
def test_speed_and_delay_of_a_moving_bottle_are_found(
    write_station: WriteStation, capsys: pytest.CaptureFixture[str]
) -> None:
    with VirtualGate() as gate:
        station = write_station(
            gate={"kind": "framed", "port": gate.path}, light={"kind": "serial_command"}, camera=MOVING,
            mm_per_px=MM_PER_PX,
        )  # fmt: skip
        gate.start(300)
        ended = main(["calibrate", "timing", str(station), "--delays", "148:172:4", "--rejecter-mm", "300"])
        said = capsys.readouterr()
    assert ended == 0, said
    assert len(gate.flashes) == 8  # the light for each picture, and for that of the empty line
    found = load_calibration(next((station.parent.parent / "calibration" / "cam").iterdir()))
    timing = found.timing
    assert timing is not None and timing.places >= 5
    assert timing.capture_delay_ms == pytest.approx(CENTRED_MS, abs=2.5)
    assert timing.speed_mm_per_s == pytest.approx(SPEED * MM_PER_PX * 1000, rel=0.12)
    assert timing.transport_ms == pytest.approx(300 / (timing.speed_mm_per_s / 1000), abs=0.1)
    assert "delay the exposure by that" in said.out and "rejecter.transport_ms" in said.out
    assert "part in the middle" in said.out


def test_a_run_without_scale_or_with_hardware_trigger_is_refused_before_it_begins(
    write_station: WriteStation, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", "timing", str(write_station(camera=MOVING))]) == 2
    assert "needs a scale" in capsys.readouterr().err
    with VirtualGate() as gate:
        camera = {"kind": "basler", "width": 64, "height": 64, "trigger": "hardware"}
        line = {"max_capture_ms": 10, "min_gap_ms": 20}
        station = write_station(gate={"kind": "framed", "port": gate.path}, camera=camera, mm_per_px=0.2, line=line)
        assert main(["calibrate", "timing", str(station)]) == 4
        assert "camera.trigger: 'hardware': takes no picture without the gate's pulse" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "1:2", "a:b:c", "5:1:1", "0:10:0", "0:10:-1", "-5:5:1", "0:50000:1", "0:nan:1"])
def test_delays_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--delays"):
        parse_delays(text)


def test_delays_reach_their_end() -> None:
    assert parse_delays("0:0.3:0.1") == pytest.approx([0, 0.1, 0.2, 0.3])
    assert parse_delays("10:15:2") == [10, 12, 14]


def moved(count: int = 9, noise: float = 0.3, start: tuple[float, float] = (10, 200)) -> list[Seen]:
    rng = np.random.default_rng(1)
    return [
        Seen(at, start[0] + 2.0 * at + rng.normal(0, noise), start[1] - 0.5 * at + rng.normal(0, noise))
        for at in np.linspace(20, 100, count)
    ]


def test_outliers_do_not_move_the_line() -> None:
    clean = find_motion(moved(), (400, 300))
    wrong = find_motion([*moved(), Seen(50, 300, 20), Seen(60, 2, 290)], (400, 300))
    assert clean.velocity == pytest.approx((2.0, -0.5), abs=0.02)
    assert wrong.places == 9 and wrong.velocity == pytest.approx(clean.velocity)
    assert clean.at(clean.capture_delay_ms)[0] == pytest.approx(199.5, abs=12)
    assert motion_faults(clean, moved(), 0.2, 300) == []


def test_runs_that_tell_nothing_are_refused() -> None:
    with pytest.raises(CalibrationError, match="4: pictures show the whole part, 5 are needed"):
        find_motion(moved(4), (400, 300))
    with pytest.raises(CalibrationError, match="hardly moves"):
        find_motion([Seen(at, 50.0, 60.0) for at in range(8)], (400, 300))
    with pytest.raises(CalibrationError, match="must differ"):
        find_motion([Seen(5.0, 50.0 + n, 60.0) for n in range(8)], (400, 300))
    uneven = find_motion(moved(noise=12), (400, 300))
    assert "off an even motion" in str(motion_faults(uneven, moved(noise=12), 0.2, 300)[0])
    late = find_motion(moved(start=(380, 150)), (400, 300))
    assert "move the gate upstream by" in str(motion_faults(late, moved(), 0.2, 300)[0])


def test_a_part_that_the_border_cuts_has_no_middle() -> None:
    empty = np.full((80, 100), 30, np.uint8)
    picture = empty.copy()
    picture[20:50, 40:70] = 180
    assert middle_of_part(picture, empty) == pytest.approx((54.5, 34.5), abs=0.5)
    assert middle_of_part(empty, empty) is None
    cut = empty.copy()
    cut[20:50, 80:] = 180
    assert middle_of_part(cut, empty) is None


def test_the_way_to_the_rejecter_from_tape_entry_and_sensor(tmp_path: Path) -> None:
    log = tmp_path / "rejecter.jsonl"
    times = [512.0, 508.0, 515.0, 510.0, 511.0, 900.0]
    lines = [
        {"act": "normal", "t_ns": 1},
        *({"act": "confirmed", "seq": n, "after_trigger_ms": t} for n, t in enumerate(times)),
    ]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert transport(Way(log=log, sensor_mm=20), 0.5) == (511.5 - 40, "sensor")
    with pytest.raises(CalibrationError, match=r"--sensor-mm: 900: is more than the whole way"):
        transport(Way(log=log, sensor_mm=900), 0.5)
    assert transport(Way(distance_mm=200), 0.5) == (400.0, "distance")
    assert transport(Way(transport_ms=432.0), 0.5) == (432.0, "entered")
    assert transport(Way(), 0.5) is None
    with pytest.raises(UsageError, match="say the same: give one of them"):
        Way(transport_ms=1.0, distance_mm=2.0)
    with pytest.raises(UsageError, match=r"--transport-ms: -1\.0: must be above 0"):
        Way(transport_ms=-1.0)
    log.write_text('{"act": "confirmed", "after_trigger_ms": 5}\n')
    with pytest.raises(CalibrationError, match="1: parts were seen to leave, 5 are needed"):
        transport(Way(log=log), 0.5)
    log.write_text("[1]\n")
    with pytest.raises(CalibrationError, match="line 1: is no line of a rejecter's log"):
        transport(Way(log=log), 0.5)
    log.write_text("".join(json.dumps({"act": "confirmed", "after_trigger_ms": 100.0 * n}) + "\n" for n in range(6)))
    with pytest.raises(CalibrationError, match="reject parts one at a time"):
        transport(Way(log=log), 0.5)
