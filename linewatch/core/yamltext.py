"""YAML without surprises: plain data or one kind of error, whatever the text holds."""

from typing import Any

import yaml


def parse_yaml(text: str, loader: type[yaml.SafeLoader] = yaml.SafeLoader) -> Any:
    """The document in `text`: mappings, lists and scalars alone. Raises yaml.YAMLError."""
    try:
        return yaml.load(text, Loader=loader)
    except yaml.YAMLError:
        raise
    except Exception as exc:  # a scalar that is not of its type (2026-99-99, !!bool x) raises whatever PyYAML met in it
        raise yaml.YAMLError(f"{type(exc).__name__}: {exc}") from exc
