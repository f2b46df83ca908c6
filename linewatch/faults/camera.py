"""The camera process killed, and stopped so that it is there but says nothing."""

from linewatch.core.messages import Cause
from linewatch.faults.fault import Fault
from linewatch.faults.judging import every, only, said
from linewatch.faults.silencing import end, killed, silence, stopped

# A part whose picture was asked for, one that came while there was no camera, one that waited for a picture too long.
_CAUSES = (Cause.NO_FRAME, Cause.STARTING, Cause.TIMEOUT, Cause.CAPTURE_JITTER)


CAMERA_KILLED = Fault(
    "camera killed",
    "its parts REJECT(no_frame), new ones REJECT(starting); started again",
    killed("camera"),
    every(said("child_died", end("camera")), only(*_CAUSES)),
    quick=True,
)
CAMERA_STOPPED = Fault(
    "camera stopped",
    "its parts REJECT(timeout) at their deadline; noticed by its silence, replaced",
    stopped("camera"),
    every(said("child_died", silence("camera")), only(*_CAUSES)),
)
