"""A camera that has every frame at once: numbers only, no pixels. `--exit CODE` ends it before it is ready."""

import sys

from linewatch.core.channel import inherited_channel
from linewatch.core.child import Child
from linewatch.core.messages import Expose, FrameReady


def main() -> int:
    if "--exit" in sys.argv:
        return int(sys.argv[sys.argv.index("--exit") + 1])
    child = Child("camera", inherited_channel())
    child.start("test camera")
    while not child.stopping:
        for message in child.turn():
            if isinstance(message, Expose):
                ready = FrameReady(message.seq, message.seq % 32, 2, child.clock.now_ns(), f"{message.seq}.png")
                child.channel.send(ready)
    return 0


if __name__ == "__main__":
    sys.exit(main())
