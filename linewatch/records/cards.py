"""One rejected part in a report: its picture, small inside the page as far as the budget goes, and its boxes."""

import base64
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import jinja2

from linewatch.core.errors import PictureError
from linewatch.pictures.draw import reduced
from linewatch.pictures.read import read_picture
from linewatch.pictures.write import encode_jpeg
from linewatch.records.decision_log import DecisionLine, LoggedDetection
from linewatch.records.page_parts import PARTS

_SMALL_SIDE_PX = 360
_WHY_NONE = {
    "unwanted": "pictures of such parts are not kept",
    "absent": "the camera gave none",
    "gone": "overwritten before the recorder read it",
    "dropped": "the recorder could not keep up",
    "refused": "no room on the disk",
    "removed": "its file is not there any more",
}
_DAMAGED = "its file is gone or damaged"


@dataclass(frozen=True)
class Image:
    """href: the small picture inside the page, or the file. file: the picture beside the page. Size in its own px."""

    href: str
    file: str
    width: int
    height: int


@dataclass(frozen=True)
class Card:
    """name: of the part within its page. at: when it was decided, for people."""

    line: DecisionLine
    face: Image | None
    crops: tuple[Image, ...]
    boxes: tuple[LoggedDetection, ...]
    name: str
    at: str

    @property
    def why_none(self) -> str:
        """Why there is neither face nor crop."""
        return why_none(self.line)


class Images:
    """Reads runs' pictures, and puts small ones into the page until the budget is spent."""

    def __init__(self, from_folder: Path, embedded_bytes: int) -> None:
        """from_folder: where the page will lie, which links start from."""
        self._from = from_folder.resolve()
        self._left = embedded_bytes

    def image(self, path: Path) -> Image | None:
        """None when the file cannot be read as a picture."""
        try:
            picture = read_picture(path, grey=False)
        except PictureError:
            return None
        file = self.link(path)
        href = file
        if self._left > 0:
            data = encode_jpeg(reduced(picture, _SMALL_SIDE_PX))
            self._left -= len(data)
            href = "data:image/jpeg;base64," + base64.b64encode(data).decode()
        return Image(href, file, picture.shape[1], picture.shape[0])

    def link(self, path: Path) -> str:
        """To the file at `path`: relative where it lies below the page, so that both can be moved together."""
        whole = path.resolve()
        beside = whole.is_relative_to(self._from)
        return quote(whole.relative_to(self._from).as_posix()) if beside else whole.as_uri()


def card_of(images: Images, run_folder: Path, line: DecisionLine, name: str, at: str) -> Card:
    face = images.image(run_folder / line.frame) if line.frame else None
    crops = () if face else tuple(found for crop in line.crops if (found := images.image(run_folder / crop)))
    return Card(line, face, crops, tuple(boxes_of(line)), name, at)


def boxes_of(line: DecisionLine) -> list[LoggedDetection]:
    """What counted, weakest first: the strongest is drawn last and lies on top."""
    return sorted((one for one in line.detections if one.effect != "ignore"), key=lambda one: one.score)


def why_none(line: DecisionLine) -> str:
    """Why a part has no picture to show, in words."""
    return _WHY_NONE.get(line.picture, _DAMAGED)


def page_template(source: str) -> jinja2.Template:
    """The page `source`, which may include PARTS. Everything that comes from outside is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(PARTS), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.from_string(source)
