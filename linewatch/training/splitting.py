"""Which pictures are learnt from, which choose the threshold, and which are only reported on."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import (
    Annotations,
    Picture,
    check_disjoint,
    compiled_group,
    group_of,
    merge,
    split_by_group,
)
from linewatch.training.config import Data, TrainConfig
from linewatch.training.importing import load_annotations
from linewatch.training.overlap import check_contents
from linewatch.training.whole_file import make_folder, write_whole


@dataclass(frozen=True)
class Split:
    """Three disjoint sets; `test` may be empty.

    validation_is, test_is: what the model card says about them: names of groups, or how they were drawn.
    """

    learn: Annotations
    validation: Annotations
    test: Annotations
    validation_is: list[str] | str
    test_is: list[str] | str


def load_split(config: TrainConfig) -> Split:
    """Load all sources of `config` and split them.

    Raises DatasetError on bad data, groups that are not there, or a picture that is on two sides by path or content.
    """
    data = config.data
    everything = merge(
        *(load_annotations(s.annotations, s.images, classes=config.classes, group=data.group) for s in data.sources)
    )
    _check_groups(data, {picture.group for picture in everything.pictures})
    test = _where(everything, lambda picture: picture.group in data.test_groups)
    rest = _where(everything, lambda picture: picture.group not in data.test_groups)
    halved = data.part is not None and bool(data.validation_groups)
    if data.part is not None and halved:
        learn = rest
        test, validation = split_in_groups(test, data.part, 0.5, config.seed)
    elif data.part is not None:
        learn, validation = split_in_groups(rest, data.part, data.validation_share, config.seed)
    elif data.validation_groups:
        learn = _where(rest, lambda picture: picture.group not in data.validation_groups)
        validation = _where(rest, lambda picture: picture.group in data.validation_groups)
    else:
        learn, validation = split_by_group(rest, data.validation_share, config.seed)
    check_disjoint(learn, test)
    if not halved:
        check_disjoint(validation, test)
    if halved or data.part is None:
        check_disjoint(learn, validation)
    check_contents(learn, validation, test)
    validation_is, test_is = _groups(data, validation), _groups(data, test)
    if halved:
        validation_is = test_is = f"half of the parts of {', '.join(data.test_groups)}"
    elif data.part is not None:
        validation_is = "parts of every learnt group"
    return Split(learn, validation, test, validation_is, test_is)


def write_names(split: Split, folder: Path) -> None:
    """The names of the pictures on each side, one a line: learn.txt, validation.txt, and test.txt where it has any.

    Raises StorageError.
    """
    make_folder(folder)
    for name in ("learn", "validation", "test"):
        names = sorted(picture.path.name for picture in getattr(split, name).pictures)
        if names:
            write_whole(folder / f"{name}.txt", "\n".join(names).encode() + b"\n")


def split_in_groups(annotations: Annotations, part: str, share: float, seed: int) -> tuple[Annotations, Annotations]:
    """Hold out about `share` of every group; pictures with the same match of the pattern `part` stay on one side.

    Returns (rest, held out). Raises DatasetError when a group has too few parts for that, or a name no match.
    """
    pattern = compiled_group(part)
    held_out: set[Path] = set()
    for group in sorted({picture.group for picture in annotations.pictures}):
        parts = tuple(
            replace(picture, group=group_of(picture.path.name, pattern))
            for picture in annotations.pictures
            if picture.group == group
        )
        try:
            _, held = split_by_group(Annotations(annotations.classes, parts), share, seed)
        except DatasetError as exc:
            raise DatasetError(f"group {group}", f"its parts cannot be split: {exc}") from exc
        held_out |= {picture.path for picture in held.pictures}
    return (
        _where(annotations, lambda picture: picture.path not in held_out),
        _where(annotations, lambda picture: picture.path in held_out),
    )


def _groups(data: Data, kept_back: Annotations) -> list[str] | str:
    return sorted({picture.group for picture in kept_back.pictures}) if data.group is not None else "by picture"


def _where(annotations: Annotations, keep: Callable[[Picture], bool]) -> Annotations:
    return Annotations(annotations.classes, tuple(picture for picture in annotations.pictures if keep(picture)))


def _check_groups(data: Data, present: set[str]) -> None:
    for group in (*data.validation_groups, *data.test_groups):
        if group not in present:
            raise DatasetError(
                "data", f"no picture belongs to this group; there are {', '.join(sorted(present)[:8])}", group
            )
