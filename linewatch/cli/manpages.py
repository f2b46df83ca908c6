"""Man pages, section 1, out of the same texts as `--help`: one of linewatch and one of each command."""

from collections.abc import Iterable

from typer.core import TyperCommand, TyperGroup

from linewatch.cli.examples import TOP, first_sentence
from linewatch.cli.tree import Words, context_of, leaves


def man_pages(group: TyperGroup) -> dict[str, str]:
    """The pages by file name: linewatch.1, linewatch-run.1, linewatch-keys-new.1 ..."""
    commands = dict(leaves(group))
    own = {f"{_title(path)}.1": _page(command, path) for path, command in commands.items()}
    return {"linewatch.1": _first(group, commands), **own}


def _page(command: TyperCommand, path: Words) -> str:
    context = context_of(command, path)
    lines = [*_head(path, command.help or ""), ".SH SYNOPSIS", f".B {_safe(' '.join(('linewatch', *path)))}"]
    lines += [_safe(" ".join(command.collect_usage_pieces(context))), ".SH DESCRIPTION", _flowing(command.help or "")]
    for title, kind in (("ARGUMENTS", "argument"), ("OPTIONS", "option")):
        records = [
            parameter.get_help_record(context) for parameter in command.params if parameter.param_type_name == kind
        ]
        lines += _list(title, (record for record in records if record is not None))
    if command.epilog:
        lines += [".SH EXAMPLES", ".nf", *(_safe(line) for line in command.epilog.splitlines()[2:]), ".fi"]
    return "\n".join([*lines, ".SH SEE ALSO", ".BR linewatch (1)", ""])


def _first(group: TyperGroup, commands: dict[Words, TyperCommand]) -> str:
    shown = ((" ".join(path), command.help or "") for path, command in commands.items())
    lines = [*_head((), group.help or ""), ".SH SYNOPSIS", ".B linewatch", "COMMAND [OPTIONS] [ARGUMENTS]"]
    lines += [".SH DESCRIPTION", _flowing(group.help or ""), *_list("COMMANDS", shown)]
    also = ", ".join(f"{_title(path)}(1)" for path in commands)
    return "\n".join([*lines, ".SH EXIT STATUS", _flowing(TOP), ".SH SEE ALSO", _safe(also), ""])


def _head(path: Words, text: str) -> list[str]:
    title = _title(path)
    return [
        f'.TH {_safe(title.upper())} 1 "" linewatch linewatch',
        ".SH NAME",
        f"{_safe(title)} \\- {_flowing(first_sentence(text))}",
    ]


def _list(title: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    found = [line for name, text in rows for line in (".TP", f".B {_safe(name)}", _flowing(text))]
    return [f".SH {title}", *found] if found else []


def _title(path: Words) -> str:
    return "-".join(("linewatch", *path))


def _flowing(text: str) -> str:
    return _safe(" ".join(text.split()))


def _safe(text: str) -> str:
    """As roff prints it unchanged: no escapes, no requests, hyphens that can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text
