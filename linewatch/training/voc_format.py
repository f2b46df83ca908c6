"""Pascal VOC: one .xml per picture with `object` elements; `bndbox` holds two corners in px.

The corners are taken as labelImg and CVAT write them: xmin is the box's x, xmax - xmin its width.
"""

from pathlib import Path
from xml.etree import ElementTree

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Box, Picture, compiled_group, group_of
from linewatch.training.picture_files import Refused, check_size, fitted_box, picture_beside, read_text


def voc_files(folder: Path) -> list[Path]:
    """The .xml files of a VOC set, in `folder`/Annotations or in `folder` itself."""
    usual = folder / "Annotations"
    return sorted((usual if usual.is_dir() else folder).glob("*.xml"))


def load_voc(folder: Path, images: Path | None = None, group: str | None = None) -> Annotations:
    """All .xml files of a VOC set; the format lists no classes, so they are the names found, sorted.

    images: folder of the pictures; none means `folder`/JPEGImages, else beside the .xml.
    Raises DatasetError naming file, value and reason.
    """
    files = voc_files(folder)
    if not files:
        raise DatasetError(folder, "has no .xml files, neither in Annotations nor directly")
    roots = {file: _root(file) for file in files}
    classes = tuple(sorted({_name(file, item) for file, root in roots.items() for item in root.iter("object")}))
    pattern = compiled_group(group)
    pictures: dict[Path, Picture] = {}
    refused = Refused()
    for file, root in roots.items():
        path = _picture_path(file, root, images if images is not None else _usual_folder(folder, file))
        if path in pictures:
            raise DatasetError(file, "another .xml belongs to the same picture", str(path))
        width, height = (_whole(file, root, f"size/{key}") for key in ("width", "height"))
        with refused.gather():
            check_size(path, width, height)
        boxes = tuple(_box(file, item, classes, width, height) for item in root.iter("object"))
        pictures[path] = Picture(path, width, height, group_of(path.name, pattern), boxes)
    refused.check(folder, len(files))
    return Annotations(classes, tuple(pictures.values()))


def _root(file: Path) -> ElementTree.Element:
    text = read_text(file)
    if not text.strip():
        raise DatasetError(file, "is empty")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as exc:
        raise DatasetError(file, f"is no XML: {exc}") from exc
    if root.tag != "annotation":
        raise DatasetError(file, "is no Pascal VOC file: the outer element must be `annotation`", root.tag)
    return root


def _usual_folder(folder: Path, file: Path) -> Path:
    usual = folder / "JPEGImages"
    return usual if usual.is_dir() else file.parent


def _picture_path(file: Path, root: ElementTree.Element, folder: Path) -> Path:
    name = (root.findtext("filename") or "").strip()
    if not name:
        return picture_beside(folder, file.stem, file)
    if "/" in name or "\\" in name:
        raise DatasetError(file, "filename must be a name, not a path", name)
    return folder / name


def _name(file: Path, item: ElementTree.Element) -> str:
    name = (item.findtext("name") or "").strip()
    if not name:
        raise DatasetError(file, "an object has no name")
    return name


def _box(file: Path, item: ElementTree.Element, classes: tuple[str, ...], width: int, height: int) -> Box:
    x0, y0, x1, y1 = (_number(file, item, f"bndbox/{key}") for key in ("xmin", "ymin", "xmax", "ymax"))
    name = _name(file, item)
    return fitted_box(f"{file}: {name}", Box(classes.index(name), x0, y0, x1 - x0, y1 - y0), width, height)


def _number(file: Path, element: ElementTree.Element, key: str) -> float:
    text = element.findtext(key)
    try:
        return float(text or "")
    except ValueError as exc:
        raise DatasetError(f"{file}: {key}", "must be a number", text) from exc


def _whole(file: Path, element: ElementTree.Element, key: str) -> int:
    value = _number(file, element, key)
    if not value.is_integer() or value <= 0:
        raise DatasetError(f"{file}: {key}", "must be a whole number above 0", value)
    return int(value)
