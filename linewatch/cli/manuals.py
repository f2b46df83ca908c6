"""`man`, and what `install` lays out beside the units: man pages and completion for bash, zsh and fish."""

from pathlib import Path
from typing import Annotated

import typer

_COMPLETIONS = {
    "bash": "usr/local/share/bash-completion/completions/linewatch",
    "zsh": "usr/local/share/zsh/site-functions/_linewatch",
    "fish": "usr/local/share/fish/vendor_completions.d/linewatch.fish",
}
_MAN = "usr/local/share/man/man1"


def man(output: Annotated[Path, typer.Option(help="Folder for linewatch.1 and a page for each command.")]) -> None:
    """Write man pages, one for each command."""
    from linewatch.install.install import place

    pages = pages_of_all()
    for name, text in pages.items():
        place(output / name, text)
    typer.echo(f"{len(pages)} pages in {output}; man {output / 'linewatch.1'}")


def pages_of_all() -> dict[str, str]:
    """The man pages of the whole command line by file name."""
    import typer.main
    from typer.core import TyperGroup

    from linewatch.cli.app import app
    from linewatch.cli.manpages import man_pages

    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return man_pages(group)


def manuals() -> dict[str, str]:
    """Man pages and completions by their place below the root."""
    from typer._completion_shared import get_completion_script  # what --show-completion prints

    found = {f"{_MAN}/{name}": text for name, text in pages_of_all().items()}
    for shell, place in _COMPLETIONS.items():
        script = get_completion_script(prog_name="linewatch", complete_var="_LINEWATCH_COMPLETE", shell=shell)
        found[place] = f"{script}\n"
    return found
