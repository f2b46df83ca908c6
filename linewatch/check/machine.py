"""The machine itself: memory, the frame ring's place, the disk, and how well it keeps time."""

import ctypes
import os
import shutil
import tempfile
import time
from pathlib import Path

from linewatch.cameras.process import ring_slots
from linewatch.check.answers import Answer, Finding, Looked, warning
from linewatch.core.errors import LinewatchError, StorageError
from linewatch.core.station import Station
from linewatch.line.runtime import runtime_folder

_TRIAL_BYTES = 4 << 20
_SLOW_SYNC_MS = 1000.0  # the recorder syncs the log about once a second
_LEAST_MEMORY_MB = 1500.0  # what a warm inspector with torch and its neighbours take
_WAKES, _WAKE_S, _LATE_MS = 100, 0.002, 10.0
_UNSYNCHRONISED = 5  # TIME_ERROR of adjtimex(2)


def memory(station: Station) -> Looked:
    """Enough for the processes, and for the frame ring where it will lie."""
    there_mb = _available_mb()
    if there_mb < _LEAST_MEMORY_MB:
        reason = f"MB are available; a warm line with a network takes about {_LEAST_MEMORY_MB:g}"
        yield warning(LinewatchError("memory", reason, round(there_mb)))
    else:
        yield Answer("memory", f"{there_mb:.0f} MB available")
    settings = station.camera
    ring_mb = ring_slots(station) * settings.width * settings.height * (1 if settings.grey else 3) / 1e6
    place = _there(runtime_folder(station.name))
    free_mb = shutil.disk_usage(place).free / 1e6
    if free_mb < ring_mb:
        yield Finding(StorageError(place, f"MB are free, the frame ring needs {ring_mb:.0f}", round(free_mb)))
    else:
        yield Answer("frame ring", f"{ring_mb:.0f} MB of {free_mb:.0f} MB in {place}")


def disk(station: Station) -> Looked:
    """Space beyond the floor, and how fast the disk takes pictures and log lines."""
    storage = station.storage
    place = _there(storage.output)
    free_mb = shutil.disk_usage(place).free / 1e6
    if free_mb < storage.floor_mb:
        reason = f"MB are free, less than storage.floor_mb = {storage.floor_mb:g}: no picture would be kept"
        yield warning(StorageError(place, reason, round(free_mb)))
    try:
        speed_mb, sync_ms = _write(place)
    except OSError as exc:
        yield Finding(StorageError(place, exc.strerror or "cannot be written"))
        return
    yield Answer("disk", f"{free_mb:.0f} MB free, writes {speed_mb:.0f} MB/s, sync {sync_ms:.0f} ms in {place}")
    if sync_ms > _SLOW_SYNC_MS:
        yield warning(StorageError(place, "ms to bring 4 MB onto the disk: the recorder would lag", round(sync_ms)))


def clock() -> Looked:
    """How late this machine wakes up, and whether its wall clock is kept by anybody."""
    late_ms = _late_ms()
    if late_ms > _LATE_MS:
        reason = "ms late at p99 of 100 wake-ups: the machine is busy, or saves power"
        yield warning(LinewatchError("clock", reason, round(late_ms, 1)))
    else:
        yield Answer("clock", f"wakes up {late_ms:.1f} ms late at p99 of {_WAKES}")
    if ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) == _UNSYNCHRONISED:
        yield warning(LinewatchError("clock", "the wall clock is not synchronised; records carry its time"))
    else:
        yield Answer("clock", "the wall clock is synchronised")


def _available_mb() -> float:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())


def _write(folder: Path) -> tuple[float, float]:
    """MB/s and ms of the sync, of 4 MB. Raises OSError."""
    data = os.urandom(_TRIAL_BYTES)
    with tempfile.TemporaryFile(dir=folder) as file:
        began = time.monotonic()
        file.write(data)
        file.flush()
        written = time.monotonic()
        os.fsync(file.fileno())
        ended = time.monotonic()
    return _TRIAL_BYTES / 1e6 / max(ended - began, 1e-6), (ended - written) * 1000


def _late_ms() -> float:
    late = []
    for _ in range(_WAKES):
        due = time.monotonic() + _WAKE_S
        time.sleep(_WAKE_S)
        late.append((time.monotonic() - due) * 1000)
    return sorted(late)[-2]
