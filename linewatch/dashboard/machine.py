"""The machine under the line: room on the disk, and the GPU where there is one; looked at now and then."""

import csv
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_QUERY = "index,utilization.gpu,memory.used,memory.total,temperature.gpu"
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Gpu:
    """One GPU: busy 0 .. 1, memory in bytes, degrees Celsius."""

    index: str
    busy: float
    memory_bytes: float
    memory_total_bytes: float
    celsius: float


@dataclass(frozen=True)
class Machine:
    """free_bytes: for the line's user where the runs are kept; none when that cannot be told."""

    free_bytes: int | None = None
    gpus: tuple[Gpu, ...] = ()


def look(output: Path) -> Machine:
    """How the machine is now. Takes up to seconds: not for a loop that has something else to do."""
    return Machine(_free_bytes(output), _gpus())


def _free_bytes(folder: Path) -> int | None:
    """Also of an output folder that is not made yet: then of the one above it."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def _gpus() -> tuple[Gpu, ...]:
    """What nvidia-smi says; nothing where there is none, or it says what we do not understand."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    command = [program, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_S, check=True).stdout
        return tuple(_gpu(row) for row in csv.reader(said.splitlines(), skipinitialspace=True))
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()


def _gpu(row: list[str]) -> Gpu:
    index, busy, used_mib, total_mib, celsius = row
    return Gpu(index, float(busy) / 100, float(used_mib) * 2**20, float(total_mib) * 2**20, float(celsius))
