"""An inspector without a network: it answers from the simulated camera's truth, with mistakes that a test can predict.

The n-th defective part is passed where n is a multiple of 3, the n-th good part rejected where n is a multiple of 5,
and every 8th part fails. Each takes 15 ms.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from linewatch.core.cameras import SimulatedCamera
from linewatch.core.child import Child, controller_channel
from linewatch.core.messages import Cause, Detection, Inspect, Inspection
from linewatch.core.station import load_station
from linewatch.sim.render import Truth, truth_of
from linewatch.sim.scene import describe

ESCAPE_EVERY, FALSE_REJECT_EVERY, FAIL_EVERY = 3, 5, 8
WORK_S = 0.015


def answers(camera: SimulatedCamera) -> Iterator[tuple[Cause, tuple[Truth, ...]]]:
    """What this inspector says of part 1, 2, 3 ...: cause, and the defects that it shows."""
    seq = defective = good = 0
    while True:
        seq += 1
        truth = truth_of(describe(camera.seed, seq - 1, camera.defect_rate), camera.width)
        defective, good = defective + bool(truth), good + (not truth)
        if seq % FAIL_EVERY == 0:
            yield Cause.MODEL_ERROR, ()
        elif truth:
            yield (Cause.OK, ()) if defective % ESCAPE_EVERY == 0 else (Cause.DEFECT, truth)
        else:
            ghost = (Truth("dirt", 10.0, 10.0, 20.0, 20.0),)
            yield (Cause.DEFECT, ghost) if good % FALSE_REJECT_EVERY == 0 else (Cause.OK, ())


def main() -> None:
    camera = load_station(Path(sys.argv[1])).camera
    assert isinstance(camera, SimulatedCamera)
    known: list[tuple[Cause, tuple[Truth, ...]]] = []
    answer = answers(camera)
    child = Child("inspector", controller_channel())
    child.start("truth with mistakes")
    while not child.stopping:
        for message in child.turn():
            if isinstance(message, Inspect):
                time.sleep(WORK_S)
                while len(known) < message.seq:
                    known.append(next(answer))
                cause, shown = known[message.seq - 1]
                boxes = tuple(Detection(t.name, 0.9, t.x, t.y, t.w, t.h, "reject") for t in shown)
                child.channel.send(Inspection(message.seq, cause, boxes, t_done_ns=child.clock.now_ns()))
                child.progress += 1


if __name__ == "__main__":
    main()
