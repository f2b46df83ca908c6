"""The faults, in the order in which they are tried: the gentle ones first, those that end the run last."""

from linewatch.faults.camera import CAMERA_KILLED, CAMERA_STOPPED
from linewatch.faults.clock import CLOCK_STEPPED
from linewatch.faults.controller import CONTROLLER_KILLED, CONTROLLER_TERMINATED
from linewatch.faults.gate import GATE_NOISY, GATE_UNPLUGGED
from linewatch.faults.inspector import (
    INSPECTOR_HUNG_STARTING,
    INSPECTOR_KILLED,
    INSPECTOR_OUT_OF_MEMORY,
    INSPECTOR_STOPPED,
)
from linewatch.faults.keys import WRONG_KEY
from linewatch.faults.recorder import RECORDER_KILLED, RECORDER_STOPPED
from linewatch.faults.start import MODEL_TRUNCATED, STATION_WRONG
from linewatch.faults.storage import DISK_FAILS, DISK_FULL, OUTPUT_READ_ONLY
from linewatch.faults.subscribers import ACTUATOR_KILLED, OBSERVER_DEAF

FAULTS = (
    GATE_NOISY,
    GATE_UNPLUGGED,
    CAMERA_KILLED,
    CAMERA_STOPPED,
    INSPECTOR_KILLED,
    INSPECTOR_STOPPED,
    INSPECTOR_HUNG_STARTING,
    INSPECTOR_OUT_OF_MEMORY,
    RECORDER_KILLED,
    RECORDER_STOPPED,
    DISK_FULL,
    DISK_FAILS,
    OUTPUT_READ_ONLY,
    OBSERVER_DEAF,
    ACTUATOR_KILLED,
    WRONG_KEY,
    STATION_WRONG,
    MODEL_TRUNCATED,
    CONTROLLER_KILLED,
    CONTROLLER_TERMINATED,
    CLOCK_STEPPED,
)
