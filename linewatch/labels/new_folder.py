"""A folder of results that is there whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from linewatch.core.errors import StorageError


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Within, a folder beside `path` to write into; it becomes `path` at the end, or is removed after an error.

    Raises StorageError when `path` is neither new nor an empty folder, or cannot be written.
    """
    partial = path.absolute().parent / f"{path.absolute().name}.partial"
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StorageError(path, "is not empty: give a new folder, so that nothing written is lost")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)  # of one that was killed
        partial.mkdir()
        yield partial
        partial.replace(path)
    except OSError as exc:
        raise StorageError(exc.filename or path, exc.strerror or "cannot be written") from exc
    finally:
        shutil.rmtree(partial, ignore_errors=True)
