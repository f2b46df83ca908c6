"""How a command ends: the one place where an error becomes one line on stderr and an exit code.

0 to 6 are those of core/errors.py, 2 also for wrong arguments; 70 is a fault of linewatch itself, whose traceback
LINEWATCH_DEBUG=1 shows; 130 is Ctrl-C.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Protocol

import typer
from pydantic import ValidationError

from linewatch.core.errors import LinewatchError

DEBUG = "LINEWATCH_DEBUG"
OUR_FAULT = 70
INTERRUPTED = 130


class App(Protocol):
    """A typer application."""

    def __call__(self, arguments: Sequence[str] | None, /, *, prog_name: str, standalone_mode: bool) -> object: ...


def ended(app: App, arguments: Sequence[str] | None = None) -> int:
    """Run `app` and return the exit code: what its command returned, 0 when that is nothing, or that of its error.

    arguments: none takes the program's own.
    """
    try:
        returned = app(arguments, prog_name="linewatch", standalone_mode=False)
    except LinewatchError as exc:
        return _said(str(exc), exc.exit_code)
    except typer.TyperException as exc:
        return _said(_wrong_argument(exc), exc.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as exc:  # noqa: BLE001  whatever else it is, a person gets one line
        return _said(_fault(exc), OUR_FAULT)
    return returned if isinstance(returned, int) else 0


def _said(text: str, code: int) -> int:
    if text:
        print(f"linewatch: {' '.join(text.split())}", file=sys.stderr, flush=True)
    return code


def _wrong_argument(exc: typer.TyperException) -> str:
    """What is wrong and where help is; empty when the help itself is shown, because there were no arguments at all."""
    context = getattr(exc, "ctx", None)
    if context is not None and exc.format_message() == context.get_help():
        print(exc.format_message())
        return ""
    command = "linewatch" if context is None else context.command_path
    return f"{_named(exc)}; see `{command} --help`"


def _named(exc: typer.TyperException) -> str:
    """Option or argument, value and reason where typer tells them apart."""
    cause = exc.__cause__
    if not isinstance(exc, typer.BadParameter) or exc.param is None or not isinstance(cause, ValidationError):
        return exc.format_message().rstrip(".")
    first = cause.errors(include_url=False)[0]
    where = exc.param.get_error_hint().strip("'")
    return f"{where}: {first['input']!r}: {first['msg'].removeprefix('Value error, ')}"


def _fault(exc: Exception) -> str:
    if os.environ.get(DEBUG):
        traceback.print_exc()
    return f"unexpected {type(exc).__name__}: {exc} (a fault of linewatch: {DEBUG}=1 shows where)"
