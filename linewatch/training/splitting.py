"""Which pictures are learnt from, which choose the threshold, and which are only reported on."""

from collections.abc import Callable
from dataclasses import dataclass

from linewatch.core.errors import DatasetError
from linewatch.training.annotations import Annotations, Picture, check_disjoint, merge, split_by_group
from linewatch.training.config import Data, TrainConfig
from linewatch.training.importing import load_annotations
from linewatch.training.overlap import check_contents


@dataclass(frozen=True)
class Split:
    """Three disjoint sets; `test` may be empty. grouped: whether whole groups were kept back."""

    learn: Annotations
    validation: Annotations
    test: Annotations
    grouped: bool


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
    if data.validation_groups:
        learn = _where(rest, lambda picture: picture.group not in data.validation_groups)
        validation = _where(rest, lambda picture: picture.group in data.validation_groups)
    else:
        learn, validation = split_by_group(rest, data.validation_share, config.seed)
    for one, other in ((learn, validation), (learn, test), (validation, test)):
        check_disjoint(one, other)
    check_contents(learn, validation, test)
    return Split(learn, validation, test, data.group is not None)


def _where(annotations: Annotations, keep: Callable[[Picture], bool]) -> Annotations:
    return Annotations(annotations.classes, tuple(picture for picture in annotations.pictures if keep(picture)))


def _check_groups(data: Data, present: set[str]) -> None:
    for group in (*data.validation_groups, *data.test_groups):
        if group not in present:
            raise DatasetError(
                "data", f"no picture belongs to this group; there are {', '.join(sorted(present)[:8])}", group
            )
