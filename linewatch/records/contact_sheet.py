"""The rejects of a run on one sheet: a tile each, with boxes, number, cause, class and score."""

from pathlib import Path

from linewatch.core.errors import PictureError
from linewatch.core.messages import Verdict
from linewatch.pictures.draw import AMBER, DIM, INK, PANEL, RED, Box, blank, fit, shortened, text_width, write_text
from linewatch.pictures.read import read_picture
from linewatch.pictures.types import Picture
from linewatch.pictures.write import write_png
from linewatch.records.cards import boxes_of, why_none
from linewatch.records.decision_log import DecisionLine, LoggedDetection, read_decisions

CONTACT_SHEET = "contact_sheet.png"
_SIDE, _CAPTION, _GAP, _HEAD = 288, 50, 14, 64
_COLUMNS = 5


def write_contact_sheet(run_folder: Path, path: Path | None = None, max_tiles: int = 40) -> Path:
    """Write the sheet of the first `max_tiles` rejects, by seq, of a run; returns where: `path`, or in the run folder.

    Raises StorageError when the log cannot be read or the sheet cannot be written.
    """
    decided, rejects = 0, []
    for line in read_decisions(run_folder):
        decided += 1
        if line.verdict is Verdict.REJECT:
            rejects.append(line)
    rejects.sort(key=lambda line: line.seq)
    shown = rejects[:max_tiles]
    heading = f"{len(rejects)} of {decided} parts rejected"
    if len(shown) < len(rejects):
        heading += f", the first {len(shown)} shown"
    target = path or run_folder / CONTACT_SHEET
    write_png(target, _sheet(run_folder, heading, shown))
    return target


def _sheet(run_folder: Path, heading: str, lines: list[DecisionLine]) -> Picture:
    columns = min(_COLUMNS, max(2, len(lines)))
    rows = -(-len(lines) // columns)
    pitch_x, pitch_y = _SIDE + _GAP, _SIDE + _CAPTION + _GAP
    width, height = columns * pitch_x + _GAP, _HEAD + rows * pitch_y + _GAP
    sheet = blank(width, height)
    title = shortened(run_folder.resolve().name, width - 2 * _GAP, 0.7, bold=True)
    write_text(sheet, title, _GAP, 30, 0.7, INK, bold=True)
    write_text(sheet, shortened(heading, width - 2 * _GAP, 0.5), _GAP, 54, 0.5, DIM)
    for number, line in enumerate(lines):
        left, top = _GAP + number % columns * pitch_x, _HEAD + _GAP + number // columns * pitch_y
        sheet[top : top + _SIDE + _CAPTION, left : left + _SIDE] = _tile(run_folder, line)
    return sheet


def _tile(run_folder: Path, line: DecisionLine) -> Picture:
    tile = blank(_SIDE, _SIDE + _CAPTION)
    tile[:_SIDE] = face_of(run_folder, line, _SIDE)
    number = f"#{line.seq}"
    write_text(tile, number, 0, _SIDE + 20, 0.55, INK, bold=True)
    cause_at = text_width(number, 0.55, bold=True) + 12
    write_text(tile, line.cause.value, cause_at, _SIDE + 20, 0.55, AMBER if line.cause.is_failsafe else RED)
    write_text(tile, shortened(_second_line(line), _SIDE, 0.45), 0, _SIDE + 41, 0.45, DIM)
    return tile


def _second_line(line: DecisionLine) -> str:
    """Class and score of a defect, the reason of a reject in doubt."""
    if not line.label:
        return line.reason
    others = sum(one.effect == "reject" for one in line.detections) - 1
    return f"{line.label} {line.score:.2f}" + (f"  and {others} more" if others > 0 else "")


def face_of(run_folder: Path, line: DecisionLine, side: int) -> Picture:
    """side x side px: the whole picture with its boxes, else the first crop, else words."""
    try:
        if line.frame is not None:
            picture = read_picture(run_folder / line.frame, grey=False)
            return fit(picture, side, side, (_box(one) for one in boxes_of(line)))
        if line.crops:
            return fit(read_picture(run_folder / line.crops[0], grey=False), side, side)
        words = f"no picture: {why_none(line)}"
    except PictureError as exc:
        words = f"picture {exc.reason}"
    face = blank(side, side, PANEL)
    write_text(face, shortened(words, side - 24, 0.5), 12, side // 2, 0.5, DIM)
    return face


def _box(found: LoggedDetection) -> Box:
    colour = RED if found.effect == "reject" else AMBER
    return Box(found.x, found.y, found.width, found.height, f"{found.label} {found.score:.2f}", colour)
