"""The set of known-bad parts, a YAML file: what each is called, what must be seen on it, how often it goes through."""

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Annotated, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from linewatch.core.errors import ChallengeError
from linewatch.core.section import Section
from linewatch.core.station import told
from linewatch.core.yamltext import parse_yaml

PartName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
MOST_PASSAGES = 200
ClassName = Annotated[str, Field(min_length=1)]


class KnownBad(Section):
    """One known-bad part."""

    name: PartName = Field(description="as it stands on the part")
    expect: tuple[ClassName, ...] = Field((), description="classes that it shows, any of them will do; none is any")
    times: int = Field(1, ge=1, le=100, description="how often it goes through, or how many such parts there are")
    pictures: tuple[str, ...] = Field(
        (), description="with --feed: names of its pictures, * allowed; none is NAME.* and NAME_*.*"
    )

    def owns(self, picture: str) -> bool:
        """Whether the file name `picture` is one of its pictures."""
        if self.pictures:
            return any(fnmatch.fnmatchcase(picture, pattern) for pattern in self.pictures)
        stem = PurePath(picture).stem
        return stem == self.name or stem.startswith(f"{self.name}_")


class ChallengeSet(Section):
    """The known-bad parts of one product."""

    name: str = Field(min_length=1, max_length=100, description="stands on the report")
    order: Literal["given", "any"] = Field("any", description="one after the other as listed, or as they come")
    window_s: float = Field(
        120.0, gt=0, le=3600, description="order given: how long each part is waited for; any: all of them together"
    )
    traffic: Literal["none", "production"] = Field(
        "none",
        description="none: nothing else is on the belt, so each decision is one of these parts; production: other "
        "parts are among them, and only a reject for an expected class counts as one of these",
    )
    class_must_match: bool = Field(False, description="whether a reject for another class than expected is a failure")
    parts: tuple[KnownBad, ...] = Field(min_length=1, max_length=MOST_PASSAGES)

    @model_validator(mode="after")
    def _told_apart(self) -> "ChallengeSet":
        names = [part.name for part in self.parts]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two parts are called {twice[0]!r}; one part that goes through twice has times: 2")
        passages = sum(part.times for part in self.parts)
        if passages > MOST_PASSAGES:
            raise ValueError(f"{passages} passages are more than the {MOST_PASSAGES} of one challenge")
        open_ = [part.name for part in self.parts if not part.expect]
        if self.traffic == "production" and open_:
            raise ValueError(f"part {open_[0]!r} needs `expect` with traffic: production, to be known among others")
        return self


@dataclass(frozen=True)
class Slot:
    """One passage of a part through the line, the `number`th of `of`."""

    part: KnownBad
    number: int
    of: int

    def __str__(self) -> str:
        return self.part.name if self.of == 1 else f"{self.part.name} ({self.number} of {self.of})"


def slots_of(challenge: ChallengeSet) -> list[Slot]:
    """Every passage, in the order of the file."""
    return [Slot(part, number, part.times) for part in challenge.parts for number in range(1, part.times + 1)]


def load_set(path: Path) -> ChallengeSet:
    """The set in the YAML file at `path`. Raises ChallengeError that names file, key, value and reason."""
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            raise ChallengeError(path, "must be a YAML mapping", type(document).__name__)
        return ChallengeSet.model_validate(document)
    except OSError as exc:
        raise ChallengeError(path, exc.strerror or "cannot be read") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ChallengeError(path, f"is not YAML: {exc}") from exc
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        raise ChallengeError(*told(path, errors[0], len(errors) - 1)) from exc


def check_classes(challenge: ChallengeSet, classes: Iterable[str], path: Path) -> None:
    """Raises ChallengeError for an expected class that the model does not have: it could never be seen."""
    known = tuple(classes)
    for part in challenge.parts:
        for name in part.expect:
            if name not in known:
                raise ChallengeError(f"{path}: {part.name}", f"is no class of the model: {', '.join(known)}", name)
