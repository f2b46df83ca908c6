"""The gate's cable pulled, and a gate whose messages arrive damaged, twice, or not at all."""

import time
from collections.abc import Iterator

from linewatch.core.messages import Cause
from linewatch.faults.fault import Fault, Injected
from linewatch.faults.judging import every, only, said
from linewatch.faults.line import FaultLine
from linewatch.faults.trial import Trial

_NOISE = b"\x00\xff\x80$T,9\x80*\r\n\xfe"
_UNPLUGGED_S = 0.8
_BETWEEN_S = 0.2


def _unplug(line: FaultLine) -> Injected:
    line.gate.unplug()
    line.wait_for("gate_lost")
    seconds = line.let_parts_come(_UNPLUGGED_S)  # parts go by, and only the gate counts them
    line.gate.replug()
    since_ns = time.monotonic_ns()
    return Injected(since_ns, f"pulled for {seconds:.1f} s while parts went on")


def _disturb(line: FaultLine) -> Injected:
    since_ns = time.monotonic_ns()
    for disturb in (line.gate.send_noise, line.gate.corrupt_next, line.gate.drop_next, line.gate.duplicate_next):
        if disturb == line.gate.send_noise:
            line.gate.send_noise(_NOISE)
        else:
            disturb()
        line.follow(_BETWEEN_S)
    faults = ("corrupted", "dropped", "duplicated")
    line.until(
        lambda: {part.delivery for part in line.gate.fired if part.t_ns > since_ns} >= set(faults), 10 + line.time_of(4)
    )
    return Injected(since_ns, "garbage, a flipped bit, a lost message, one sent twice")


def _disturbed(trial: Trial) -> Iterator[str]:
    found = trial.in_doubt[Cause.DESYNC]
    if found < 2:
        yield f"{found} parts were rejected as desync, the messages of 2 were damaged or lost"


GATE_UNPLUGGED = Fault(
    "gate unplugged",
    "the port is opened again; parts that went by meanwhile REJECT(desync)",
    _unplug,
    every(said("gate_lost"), said("gate_back"), only(Cause.DESYNC)),
    limit_s=5.0,
    quick=True,
)
GATE_NOISY = Fault(
    "gate noisy",
    "each damaged or lost message REJECT(desync), repeats ignored, no other part touched",
    _disturb,
    every(said("bad_frame"), said("duplicate_trigger"), only(Cause.DESYNC), _disturbed),
    limit_s=5.0,
    quick=True,
)
