"""The command line: each command is a thin call into one package, which is loaded only when the command runs."""

from collections.abc import Sequence

from linewatch.cli.ending import ended

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name, by default the program's own; returns its exit code."""
    from linewatch.cli.app import app

    return ended(app, arguments)
