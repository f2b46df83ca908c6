"""Write a file whole or not at all."""

import contextlib
from pathlib import Path

from linewatch.core.errors import StorageError


def write_whole(path: Path, content: bytes) -> None:
    """Put `content` in place of the file at `path` in one step; on failure what was there stays.

    Raises StorageError naming `path`.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as exc:
        # The reason to report is why it could not be written, not why the rest cannot be removed.
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise StorageError(path, exc.strerror or "cannot be written") from exc


def make_folder(path: Path) -> None:
    """Make the folder and those above it where they are missing. Raises StorageError naming `path`."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be made") from exc
