"""prompts.yaml: what each defect class looks like, in words (stage 1 of DS-MoE, text prompt initialisation).

The paper lets a language model write the prompts; that a class has several, and the file, are our choice.

    provenance: who wrote the descriptions
    classes:
      scratch:
        - a fine thin line ...
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from linewatch.core.errors import ModelError
from linewatch.core.yamltext import parse_yaml

Prompts = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class PromptFile:
    """A prompts.yaml. classes: descriptions of each class, in the file's order. provenance: who wrote them."""

    provenance: str
    classes: dict[str, tuple[str, ...]]


class _UniqueKeys(yaml.SafeLoader):
    """A class that stands twice is an error: YAML would silently keep the second one only."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = [key for key in keys if keys.count(key) > 1]
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"key {twice[0]!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load_prompts(path: Path, classes: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Descriptions of every class of `classes`, in the order of `classes`, from the prompts.yaml at `path`.

    Raises ModelError naming path, class and reason: unknown or missing class, empty list, no text, doubled text,
    or a class with fewer descriptions than another.
    """
    found = read_prompts(path).classes
    check_classes(path, found, classes)
    return {name: found[name] for name in classes}


def check_classes(where: object, found: Mapping[str, object], classes: Sequence[str]) -> None:
    """Raise ModelError unless the keys of `found` are exactly `classes`."""
    for name in found:
        if name not in classes:
            raise ModelError(where, f"unknown class; the model has {', '.join(classes)}", name)
    for name in classes:
        if name not in found:
            raise ModelError(where, "class has no descriptions", name)


def read_prompts(path: Path) -> PromptFile:
    """The prompts.yaml at `path`, whatever its classes are. Raises ModelError as load_prompts does."""
    try:
        document = parse_yaml(path.read_text(encoding="utf-8"), _UniqueKeys)
    except OSError as exc:
        raise ModelError(path, exc.strerror or "cannot be read") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise ModelError(path, f"is not YAML: {exc}") from exc
    if not isinstance(document, dict):
        raise ModelError(path, "must be a YAML mapping", type(document).__name__)
    for key in document:
        if key not in ("provenance", "classes"):
            raise ModelError(path, "unknown key; known are provenance and classes", key)
    provenance = document.get("provenance")
    if not isinstance(provenance, str) or not provenance.strip():
        raise ModelError(f"{path}: provenance", "must say who wrote the descriptions", provenance)
    return PromptFile(provenance, checked_prompts(f"{path}: classes", document.get("classes")))


def checked_prompts(where: str, value: object) -> dict[str, tuple[str, ...]]:
    """`value` as descriptions per class. Raises ModelError naming `where`, the class and the reason."""
    if not isinstance(value, dict) or not value:
        raise ModelError(where, "must map each class to a list of descriptions", type(value).__name__)
    prompts = {_name(where, name): _descriptions(f"{where}.{name}", texts) for name, texts in value.items()}
    most = max(map(len, prompts.values()))
    for name, texts in prompts.items():
        if len(texts) != most:
            raise ModelError(f"{where}.{name}", f"too few descriptions; another class has {most}", len(texts))
    return prompts


def _name(where: str, name: object) -> str:
    if not isinstance(name, str):
        raise ModelError(where, "a class name must be text (put it in quotes)", name)
    return name


def _descriptions(where: str, texts: object) -> tuple[str, ...]:
    if not isinstance(texts, list) or not texts:
        raise ModelError(where, "must be a list of one or more descriptions", texts)
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ModelError(where, "a description must be text (quote it if it holds a colon)", text)
    cleaned = tuple(" ".join(text.split()) for text in texts)
    for text in cleaned:
        if cleaned.count(text) > 1:
            raise ModelError(where, "description stands twice", text)
    return cleaned


def dump_prompts(prompts: PromptFile) -> str:
    """The text of a prompts.yaml that reads back as `prompts`."""
    document = {
        "provenance": prompts.provenance,
        "classes": {name: list(texts) for name, texts in prompts.classes.items()},
    }
    # A description stays on its line, so that a diff shows whole sentences.
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=2**16)


def fingerprint(prompts: Prompts) -> str:
    """sha256 (hex) of classes and descriptions in their order; comments and provenance do not count."""
    content = json.dumps([[name, list(texts)] for name, texts in prompts.items()], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
