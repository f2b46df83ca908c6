"""Was a calibration changed after the day it was made? SHA-256 of its numbers and of the files beside them."""

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

from linewatch.core.errors import CalibrationError

NUMBERS = "numbers"  # stands for the YAML file itself, without its sums
_AGAIN = "it was changed after it was made: calibrate again, or bring the original back"


def sum_of_numbers(document: dict[str, Any]) -> str:
    """Of everything in `document` but its sums. Layout and comments of the YAML file do not count."""
    rest = {key: value for key, value in document.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, default=str).encode()).hexdigest()


def sum_of_file(path: Path) -> str:
    """Raises CalibrationError when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as exc:
        raise CalibrationError(path, exc.strerror or "cannot be read") from exc


def check_sums(path: Path, document: dict[str, Any], sums: dict[str, str] | None) -> None:
    """Raises CalibrationError when the numbers of the file at `path`, or a file beside it, are not what `sums` say.

    Calibrations without sums, written by hand, are taken as they are; all others must name each file that they use.
    """
    if sums is None:
        return
    if sums.get(NUMBERS) != sum_of_numbers(document):
        raise CalibrationError(f"{path}: sha256.{NUMBERS}", f"does not fit the numbers: {_AGAIN}")
    used = {str(document[key]) for key in ("flat_field", "dark_field") if document.get(key) is not None}
    for name in sorted(used | (sums.keys() - {NUMBERS})):
        if PurePosixPath(name).name != name or name not in sums:
            raise CalibrationError(f"{path}: sha256", "must name each file that lies beside this one", name)
        if sum_of_file(path.parent / name) != sums[name]:
            raise CalibrationError(path.parent / name, _AGAIN)
