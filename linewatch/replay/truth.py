"""What is known about the recorded parts: COCO files say which are bad, and how often the decisions were wrong."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath

import msgspec

from linewatch.core.errors import DatasetError, StorageError
from linewatch.core.messages import Verdict
from linewatch.training.part_level import Rate, wilson


class Comparison(msgspec.Struct, frozen=True):
    """Decisions against truth, over the parts that are both decided and known.

    false_rejects: good parts that were rejected, of all good ones. escapes: bad parts that passed, of all bad ones.
    Either is None when there is no such part, named in `missing`. fail_safe_good: false rejects that saw no defect.
    """

    good: int
    bad: int
    false_rejects: Rate | None
    escapes: Rate | None
    fail_safe_good: int
    false_reject_files: tuple[str, ...]
    escape_files: tuple[str, ...]
    unknown: int
    missing: tuple[str, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """One part's file name, verdict, and whether the verdict was a fail-safe one."""

    file: str
    verdict: Verdict
    is_failsafe: bool


class _Image(msgspec.Struct):
    id: int | str
    file_name: str


class _Annotation(msgspec.Struct):
    image_id: int | str


class _Coco(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]


def load_truth(paths: Iterable[Path]) -> dict[str, bool]:
    """File name to whether the part is bad: True with boxes, False without. paths: COCO files.

    Raises StorageError or DatasetError, also when two files disagree about a picture.
    """
    truth: dict[str, bool] = {}
    for path in paths:
        coco = _read(path)
        boxed = {annotation.image_id for annotation in coco.annotations}
        for image in coco.images:
            name, bad = PurePath(image.file_name).name, image.id in boxed
            if truth.setdefault(name, bad) != bad:
                raise DatasetError(path, "another truth file says the opposite about this picture", name)
    return truth


def load_names(path: Path) -> frozenset[str]:
    """The file names in the text file at `path`, one a line; empty lines and lines with # are left out.

    Raises StorageError when it cannot be read, DatasetError when it names nothing.
    """
    lines = [line.strip() for line in _text(path).splitlines()]
    names = frozenset(PurePath(line).name for line in lines if line and not line.startswith("#"))
    if not names:
        raise DatasetError(path, "names no picture")
    return names


def compare(outcomes: Sequence[Outcome], truth: Mapping[str, bool]) -> Comparison:
    """How often the verdicts were wrong. Parts that the truth does not know are counted as `unknown` and left out."""
    known = [outcome for outcome in outcomes if outcome.file in truth]
    good = [outcome for outcome in known if not truth[outcome.file]]
    bad = [outcome for outcome in known if truth[outcome.file]]
    rejected = [outcome for outcome in good if outcome.verdict is Verdict.REJECT]
    passed = [outcome for outcome in bad if outcome.verdict is Verdict.PASS]
    missing = [f"{name}: no {kind} part in the truth was decided" for name, kind, group in (
        ("false_rejects", "good", good), ("escapes", "bad", bad)) if not group]  # fmt: skip
    return Comparison(
        good=len(good),
        bad=len(bad),
        false_rejects=wilson(len(rejected), len(good)) if good else None,
        escapes=wilson(len(passed), len(bad)) if bad else None,
        fail_safe_good=sum(outcome.is_failsafe for outcome in rejected),
        false_reject_files=tuple(outcome.file for outcome in rejected),
        escape_files=tuple(outcome.file for outcome in passed),
        unknown=len(outcomes) - len(known),
        missing=tuple(missing),
    )


def _read(path: Path) -> _Coco:
    try:
        return msgspec.json.decode(_text(path), type=_Coco)
    except msgspec.DecodeError as exc:
        raise DatasetError(path, f"is no COCO file: {exc}") from exc


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc
    except UnicodeDecodeError as exc:
        raise DatasetError(path, "is no UTF-8 text") from exc
