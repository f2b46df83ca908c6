"""A station file that explains itself: what was set, what could be set and its default, each with its description."""

import inspect
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from linewatch.core.section import Section

_COMMENT_AT = 46  # column, where the key is not longer


def commented(station: Section, heading: str) -> str:
    """The YAML text of `station`: its set values, and its defaults as comments. heading: first line, without `#`."""
    return f"# {heading}\n" + "".join(line + "\n" for line in _section(station, "", "", set_here=True))


def _section(section: Section, indent: str, off: str, *, set_here: bool) -> Iterator[str]:
    """indent: of its keys. off: `# ` in sections that are all defaults."""
    for name, field in type(section).model_fields.items():
        key, value = field.alias or name, getattr(section, name)
        chosen = set_here and name in section.model_fields_set
        mark = off if chosen or off else "# "
        if isinstance(value, Section):
            yield f"{mark}{indent}{key}:".ljust(_COMMENT_AT) + f" # {_first_line(type(value))}"
            yield from _section(value, indent + "  ", mark, set_here=chosen)
        elif _sections(value):
            yield f"{mark}{indent}{key}:".ljust(_COMMENT_AT) + f" # {field.description}"
            for one in value:
                yield f"{mark}{indent}  - {_flow(one.model_dump(mode='json', by_alias=True, exclude_unset=True))}"
        else:
            yield _with_words(f"{mark}{indent}{key}: {_flow(_plain(section, name, field))}", field)


def _plain(section: Section, name: str, field: FieldInfo) -> Any:
    return section.model_dump(mode="json", by_alias=True, include={name})[field.alias or name]


def _with_words(text: str, field: FieldInfo) -> str:
    return text.ljust(_COMMENT_AT) + f" # {field.description}" if field.description else text


def _flow(value: Any) -> str:
    """One line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _sections(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and isinstance(value[0], Section)


def _first_line(section: type[Section]) -> str:
    return (inspect.getdoc(section) or "").partition("\n")[0]
