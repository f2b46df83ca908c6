"""Every error that linewatch raises on purpose, and the exit code that it ends a command with.

    LinewatchError
    ├── CheckFailed         1  a check or comparison came out false
    ├── UsageError          2  wrong arguments
    ├── ConfigError         3  station, model card, calibration or training configuration is wrong
    │   ├── StationError       the station file
    │   ├── ModelError         model card, weights, prompts
    │   ├── CalibrationError   calibration files, or a picture that does not fit them
    │   ├── DatasetError       annotations or pictures to train or evaluate on
    │   ├── ChallengeError     the set of known-bad parts
    │   └── KeysError          CURVE or signing keys: missing, damaged, or open to others
    ├── DeviceError         4  gate, camera, light, socket or GPU
    │   ├── GateError
    │   ├── CameraError
    │   │   └── ExtraFrameError  a frame that may be of another part
    │   └── EndpointError      a ZeroMQ endpoint that cannot be bound or reached
    ├── StorageError        5  a path that cannot be read or written
    │   └── PictureError       one picture that cannot be decoded (the part is rejected, the line goes on)
    └── ChallengeFailed     6  a known-bad part was passed or not seen, or nobody can say

systemd does not restart on 2 and 3. Foreign errors are translated where they are met, with `from exc`.
"""

from typing import ClassVar


class LinewatchError(Exception):
    """Base of all. Its text is one line: where, which value, why.

    where: the path, port, endpoint or key concerned.
    reason: why it is wrong and, where it helps, what would be right.
    value: the offending value, shown as given; left out when there is none.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, where: object, reason: str, value: object = None) -> None:
        self.where = str(where)
        self.reason = reason
        self.value = value
        shown = "" if value is None else f" {value!r}:"
        super().__init__(f"{self.where}:{shown} {reason}".replace("\n", " "))


class CheckFailed(LinewatchError):
    exit_code = 1


class UsageError(LinewatchError):
    exit_code = 2


class ConfigError(LinewatchError):
    exit_code = 3


class StationError(ConfigError):
    pass


class ModelError(ConfigError):
    pass


class CalibrationError(ConfigError):
    pass


class DatasetError(ConfigError):
    pass


class ChallengeError(ConfigError):
    pass


class KeysError(ConfigError):
    pass


class DeviceError(LinewatchError):
    exit_code = 4


class GateError(DeviceError):
    pass


class CameraError(DeviceError):
    pass


class ExtraFrameError(CameraError):
    pass


class EndpointError(DeviceError):
    pass


class StorageError(LinewatchError):
    exit_code = 5


class PictureError(StorageError):
    pass


class ChallengeFailed(LinewatchError):
    exit_code = 6
