"""Parts tracked by encoder counts: the real daemon, a gate on a pty whose belt stops and slows, a rejecter process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from linewatch.sim.belt import VirtualBelt
from linewatch.sim.gate import VirtualGate

Wait = Callable[..., bool]
COUNTS_PER_S, TRAVEL = 10_000, 15_000  # gate to rejecter: 1.5 s at full speed


class Tracked:
    """A line whose gate says counts, and what its rejecter has done."""

    def __init__(self, line: Any) -> None:
        line.gate.close()
        self.belt = VirtualBelt(COUNTS_PER_S, first_count=(1 << 32) - 30_000)  # wraps within the test
        self.gate = line.gate = VirtualGate(line.folder / "gate", belt=self.belt)
        line.write_station(rejecter={"transport_ms": 1500, "encoder_counts": TRAVEL})
        line.start()
        self.line = line
        self.log = line.folder / "acts"
        command = [sys.executable, "-m", "linewatch.actuators", "--endpoint", line.actuators, "--station", "t1"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        self.rejecter = subprocess.Popen([*command, "--log", str(self.log), "--tolerance-ms", "500"], env=environment)

    def said(self) -> list[dict[str, Any]]:
        text = self.log.read_text() if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def acts(self, act: str) -> list[dict[str, Any]]:
        return [said for said in self.said() if said["act"] == act]

    def trusts(self) -> bool:
        changes = [said["act"] for said in self.said() if said["act"] in ("normal", "reject_all")]
        return changes[-1:] == ["normal"]

    def fire_to_defect(self) -> dict[str, Any]:
        """Parts until the next defect, every fifth; its decision."""
        while True:
            seen = len(self.line.observer.of("decision"))
            self.gate.fire()
            while len(self.line.observer.of("decision")) == seen:
                time.sleep(0.005)
            said: dict[str, Any] = self.line.observer.of("decision")[-1]
            if said["cause"] == "defect":
                return said

    def blown(self, seq: int) -> list[int]:
        return [said["t_ns"] for said in self.acts("blow") if said["seq"] == seq]


@pytest.fixture
def tracked(line: Any, wait: Wait) -> Iterator[Tracked]:
    made = Tracked(line)
    try:
        assert wait(made.trusts), line.log()
        yield made
    finally:
        made.rejecter.kill()
        made.rejecter.wait()


@pytest.mark.slow
def test_the_blow_waits_for_a_belt_that_stops_and_slows(tracked: Tracked, wait: Wait) -> None:
    said = tracked.fire_to_defect()
    assert (said["v"], said["blow_count"] - said["count"], said["reaction_ms"]) == (2, TRAVEL, 20.0)
    tracked.belt.set_speed(0)
    way_ns = 1_500_000_000 - (time.monotonic_ns() - said["t_trigger_ns"])  # that is left, at full speed
    time.sleep(1.6)  # at full speed the part would be gone
    assert tracked.blown(said["seq"]) == []
    tracked.belt.set_speed(0.5)
    started_ns = time.monotonic_ns()
    assert wait(lambda: tracked.blown(said["seq"]))
    assert tracked.blown(said["seq"])[0] - started_ns > 2 * way_ns - 200_000_000
    assert tracked.acts("missed") == []


@pytest.mark.slow
def test_a_silent_or_lying_encoder_rejects_all_until_the_belt_is_clear(tracked: Tracked, wait: Wait) -> None:
    observer = tracked.line.observer
    tracked.gate.mute = True
    assert wait(lambda: not tracked.trusts())
    assert wait(lambda: tracked.acts("reject_all")[-1]["reason"] == "the encoder is silent")
    assert wait(lambda: observer.events("encoder_silent"))
    tracked.gate.mute = False
    assert wait(tracked.trusts)
    tracked.belt.jump(-5_000)
    assert wait(lambda: observer.events("encoder_backwards"))
    assert wait(lambda: not tracked.trusts())
    assert wait(lambda: tracked.acts("reject_all")[-1]["reason"] == "the encoder counted backwards")
    assert wait(tracked.trusts)
    tracked.belt.set_speed(2)
    assert wait(lambda: observer.events("belt_too_fast"))
    assert wait(lambda: not tracked.trusts())


@pytest.mark.slow
def test_after_a_restart_nothing_passes_until_the_belt_has_moved(tracked: Tracked, wait: Wait) -> None:
    tracked.belt.set_speed(0)
    tracked.line.kill()
    tracked.line.start()
    time.sleep(3)
    assert not tracked.trusts()
    tracked.belt.set_speed(1)
    assert wait(tracked.trusts)
