"""A plain folder of pictures, in the order of their names."""

from pathlib import Path

from linewatch.core.errors import StorageError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff"})


def list_pictures(folder: Path) -> list[Path]:
    """The pictures directly in `folder`, sorted by name (character by character: 10.png comes before 9.png).

    Raises StorageError when the folder cannot be read or holds no picture.
    """
    try:
        found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    except OSError as exc:
        raise StorageError(folder, exc.strerror or "cannot be read") from exc
    if not found:
        raise StorageError(folder, f"holds no picture ({', '.join(sorted(SUFFIXES))})")
    return sorted(found, key=lambda path: path.name)
