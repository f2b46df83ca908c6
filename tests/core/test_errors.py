"""The error tree: one line each, and exit codes that systemd can act on."""

import linewatch.core.errors as errors
from linewatch.core.errors import ConfigError, DeviceError, GateError, LinewatchError, StationError, StorageError


def test_text_is_one_line_of_where_value_and_reason() -> None:
    assert str(GateError("/dev/ttyUSB0", "is in use\nby another program", 9600)) == (
        "/dev/ttyUSB0: 9600: is in use by another program"
    )


def test_exit_codes() -> None:
    assert (ConfigError.exit_code, DeviceError.exit_code, StorageError.exit_code) == (3, 4, 5)
    assert StationError.exit_code == 3


def test_every_error_is_in_the_tree_that_the_module_shows() -> None:
    shown = errors.__doc__ or ""
    classes = [
        found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, LinewatchError)
    ]
    assert len(classes) > 10
    assert [found.__name__ for found in classes if found.__name__ not in shown] == []
