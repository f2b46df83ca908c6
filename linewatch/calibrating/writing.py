"""One calibration as a folder that is never changed again: calibration/<camera>/<date>/."""

import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from linewatch.core.errors import StorageError
from linewatch.pictures.calibration import CALIBRATION_FILE, Calibration
from linewatch.pictures.sums import NUMBERS, sum_of_file, sum_of_numbers
from linewatch.pictures.write import TEMPORARY_SUFFIX

_READ_ONLY = 0o444


def free_folder(above: Path, day: date) -> Path:
    """calibration/<camera>/<day>, or with -2, -3 ... behind it when there is one of that day."""
    number = 1
    while (folder := above / (f"{day}" if number == 1 else f"{day}-{number}")).exists():
        number += 1
    return folder


def require_new(folder: Path | None) -> None:
    """Raises StorageError when the folder that was asked for is there already."""
    if folder is not None and folder.exists():
        raise StorageError(folder, "is there already: a calibration is never changed")


def write_calibration(folder: Path, calibration: Calibration, files: Mapping[str, bytes]) -> None:
    """Write `folder` at once and read-only, with `files` beside the numbers, and the sums of all.

    Raises StorageError when it is there already or cannot be written; then nothing is left of it.
    """
    require_new(folder)
    unfinished = folder.with_name(folder.name + TEMPORARY_SUFFIX)
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name, data in files.items():
            (unfinished / name).write_bytes(data)
        (unfinished / CALIBRATION_FILE).write_text(_text(calibration, unfinished, files), encoding="utf-8")
        for path in unfinished.iterdir():
            path.chmod(_READ_ONLY)
        unfinished.rename(folder)
    except OSError as exc:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StorageError(folder, exc.strerror or "cannot be written") from exc


def _text(calibration: Calibration, folder: Path, files: Mapping[str, bytes]) -> str:
    """The YAML text with its sums, as a reader will find it."""
    plain = calibration.model_dump(mode="json", exclude_defaults=True, exclude={"sha256"})
    plain["date"] = calibration.date  # a date of YAML, as people write it
    document: dict[str, Any] = yaml.safe_load(yaml.safe_dump(plain, sort_keys=False))
    sums = {name: sum_of_file(folder / name) for name in sorted(files)}
    document["sha256"] = {NUMBERS: sum_of_numbers(document), **sums}
    heading = (
        "# Written by linewatch calibrate; sha256 is verified at every start, so that nobody can edit it unseen.\n"
    )
    return heading + yaml.safe_dump(document, sort_keys=False, default_flow_style=None, width=120)
