"""An inspector that takes `--work-ms` a part and finds a defect in every fifth one."""

import sys
import time

from linewatch.core.channel import inherited_channel
from linewatch.core.child import Child
from linewatch.core.messages import Cause, Detection, Inspect, Inspection

DEFECT_EVERY = 5


def main() -> int:
    work_s = float(sys.argv[sys.argv.index("--work-ms") + 1]) / 1e3 if "--work-ms" in sys.argv else 0.0
    child = Child("inspector", inherited_channel())
    child.start("test inspector")
    while not child.stopping:
        for message in child.turn():
            if isinstance(message, Inspect):
                time.sleep(work_s)
                child.say_health()
                child.channel.send(inspect(message.seq, child.clock.now_ns()))
    return 0


def inspect(seq: int, now_ns: int) -> Inspection:
    if seq % DEFECT_EVERY:
        return Inspection(seq, Cause.OK, t_done_ns=now_ns)
    found = Detection("chip", 0.875, 1.0, 2.0, 3.0, 4.0, "reject")
    return Inspection(seq, Cause.DEFECT, (found,), t_done_ns=now_ns)


if __name__ == "__main__":
    sys.exit(main())
