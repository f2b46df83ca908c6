"""Whether results could be written, asked before the work and not after it."""

import tempfile
from pathlib import Path

from linewatch.core.errors import StorageError


def require_writable_file(path: Path) -> None:
    """Raises StorageError when the file `path` could not be written: its folder must be there."""
    if path.is_dir():
        raise StorageError(path, "is a folder; name a file")
    _try(path.parent, path)


def require_writable_folder(path: Path) -> None:
    """Raises StorageError when the folder `path` could not be made, with the folders above it, or written into."""
    _try(next(folder for folder in (path, *path.absolute().parents) if folder.exists()), path)


def _try(folder: Path, wanted: Path) -> None:
    """Write into `folder`: permissions alone do not tell of read-only disks, and tell root nothing."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        raise StorageError(wanted, f"cannot be written: {folder}: {exc.strerror}") from exc
