"""The commands as one list, as a user types them."""

from collections.abc import Iterator

import typer
from typer.core import TyperCommand, TyperGroup

Words = tuple[str, ...]


def leaves(group: TyperGroup, path: Words = ()) -> Iterator[tuple[Words, TyperCommand]]:
    """Every command that does something, with its words after `linewatch`: ("keys", "new")."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from leaves(command, (*path, name))
        elif isinstance(command, TyperCommand):
            yield (*path, name), command


def context_of(command: TyperGroup | TyperCommand, path: Words) -> typer.Context:
    """What `command` needs to describe itself."""
    return typer.Context(command, info_name=" ".join(("linewatch", *path)))
