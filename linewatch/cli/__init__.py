"""The command line: each command is a thin call into one package, which is loaded only when the command runs."""

from linewatch.cli.ending import ended

__all__ = ["main"]


def main() -> int:
    """Run the command that the program's arguments name; returns its exit code."""
    from linewatch.cli.app import app

    return ended(app)
