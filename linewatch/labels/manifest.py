"""linewatch.json in an export's folder: what was exported, so that a corrected label finds its way back."""

import re
from pathlib import Path, PurePosixPath

import msgspec

from linewatch.core.errors import DatasetError
from linewatch.core.messages import Cause, Verdict
from linewatch.pictures.write import write_whole
from linewatch.records.decision_log import LoggedDetection
from linewatch.training.annotations import Box

MANIFEST, IMAGES, COCO_FILE = "linewatch.json", "images", "annotations.json"
VERSION = 1
_UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-")  # Label Studio puts one before the name of a file that was uploaded


class Origin(msgspec.Struct, frozen=True):
    """Where a picture comes from. crop: upper left corner, px of the inspected picture; none is the whole of it."""

    run: str
    seq: int
    model: str
    verdict: Verdict
    cause: Cause
    source: str
    crop: tuple[int, int] | None


class ExportedPicture(msgspec.Struct, frozen=True):
    """One picture. file: its name in images/. width, height: px. boxes: as exported, in px of this picture."""

    file: str
    sha256: str
    width: int
    height: int
    origin: Origin
    boxes: tuple[LoggedDetection, ...]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """linewatch.json. classes: names in the order of the exported labels. exported: ISO 8601 in UTC."""

    version: int
    exported: str
    classes: tuple[str, ...]
    pictures: tuple[ExportedPicture, ...]


class Export:
    """An export's folder, looked things up in."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.classes = manifest.classes
        self.pictures = {picture.file: picture for picture in manifest.pictures}
        self._by_stem = {PurePosixPath(name).stem: name for name in self.pictures}

    def find(self, name: str) -> Path:
        """The picture that an annotation tool calls `name`, with or without folders and suffix.

        Raises DatasetError when it is none of this export's.
        """
        found = self.named(name)
        if found is None:
            raise DatasetError(name, f"is no picture of the export {self.folder}")
        return self.folder / IMAGES / found.file

    def named(self, name: str) -> ExportedPicture | None:
        """The exported picture that a tool calls `name`; none when it is none of these."""
        base = PurePosixPath(name.replace("\\", "/")).name
        for candidate in (base, _UPLOAD_PREFIX.sub("", base, count=1)):
            file = candidate if candidate in self.pictures else self._by_stem.get(candidate)
            if file is not None:
                return self.pictures[file]
        return None


def boxes_of(picture: ExportedPicture, classes: tuple[str, ...]) -> tuple[Box, ...]:
    """The exported boxes, with labels that index `classes`."""
    return tuple(Box(classes.index(one.label), one.x, one.y, one.width, one.height) for one in picture.boxes)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write linewatch.json into `folder`. Raises StorageError."""
    write_whole(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")


def open_export(folder: Path) -> Export:
    """The export in `folder`. Raises DatasetError when there is none, or it is damaged or of another version."""
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError as exc:
        raise DatasetError(folder, f"is no export of `linewatch labels export`: it has no {MANIFEST}") from exc
    except OSError as exc:
        raise DatasetError(path, exc.strerror or "cannot be read") from exc
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise DatasetError(path, f"is damaged: {exc}") from exc
    if manifest.version != VERSION:
        raise DatasetError(f"{path}: version", f"this linewatch reads version {VERSION}", manifest.version)
    _check(path, manifest)
    return Export(folder, manifest)


def _check(path: Path, manifest: Manifest) -> None:
    """What a hand may have broken: names that lead elsewhere, and classes that are not listed."""
    for picture in manifest.pictures:
        if PurePosixPath(picture.file).name != picture.file:
            raise DatasetError(f"{path}: file", "must be a name, not a path", picture.file)
        for one in picture.boxes:
            if one.label not in manifest.classes:
                raise DatasetError(f"{path}: {picture.file}", "class is not among the export's classes", one.label)
