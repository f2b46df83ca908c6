"""Command lines taken apart, and asked of the programs that would run them, without running anything."""

import contextlib
import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup, TyperOption

import linewatch
from linewatch.cli.app import app

PROJECT = Path(linewatch.__file__).parent.parent
_ENDS = {"|", "||", "&&", "&", ";"}
_BEFORE = {"sudo", "nohup", "time"}


def commands_of(script: str) -> Iterator[list[str]]:
    """The words of each command of a shell script, without assignments, redirections and `sudo`."""
    for line in script.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in lexer:
            if word in _ENDS:
                yield from _whole(words)
                words = []
            else:
                words.append(word)
        yield from _whole(words)


def _whole(words: list[str]) -> Iterator[list[str]]:
    kept: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if set(word) & set("<>") and not set(word) - set("<>"):
            continue
        if before and not set(before) - set("<>"):
            continue  # the file of a redirection
        if kept or not (re.match(r"\w+=", word) or word in _BEFORE):
            kept.append(word)
    if kept:
        yield kept


def ask(words: list[str]) -> None:
    """Raises what the program of `words` would say against its arguments; programs that are not ours say nothing."""
    program, rest = words[0].rpartition("/")[2], words[1:]
    match program:
        case "linewatch":
            parse(rest)
        case "make":
            _make(rest)
        case "pip":
            _extras(rest)
        case "pytest":
            missing = [word for word in rest if word.startswith("tests") and not (PROJECT / word).exists()]
            assert not missing, f"no such tests: {missing}"
        case "python" | "torchrun" if "-m" in rest:
            _module(rest[rest.index("-m") + 1 :])


def parse(arguments: list[str]) -> None:
    """Parse the arguments of `linewatch` as the program would, and run nothing."""
    command = typer.main.get_command(app)
    while isinstance(command, TyperGroup) and arguments[:1] and arguments[0][:1] != "-":
        assert arguments[0] in command.commands, f"no such command: linewatch {' '.join(arguments)}"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    for parameter in command.params:
        if isinstance(parameter, TyperOption):
            parameter.prompt = None  # a question that is left to ask is no error
    with contextlib.suppress(typer.Exit, SystemExit):  # --help, --show-completion
        command.make_context("linewatch", list(arguments))


def name_only(words: list[str]) -> None:
    """Raises when `linewatch WORDS` in a sentence, whole or not, names a command or option that is none."""
    command: Any = typer.main.get_command(app)
    while isinstance(command, TyperGroup) and words and re.fullmatch(r"[a-z]+", words[0]):
        assert words[0] in command.commands, f"no such command: linewatch {' '.join(words)}"
        command, words = command.commands[words[0]], words[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    unknown = {word for word in words if word.startswith("--")} - known - {"--install-completion", "--show-completion"}
    assert not unknown, f"no such option: {unknown}"


def _make(arguments: list[str]) -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = {word for word in arguments if "=" not in word}
    assert named <= set(targets), f"no such target: {named - set(targets)}"


def _extras(arguments: list[str]) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for word in arguments:
        found = re.fullmatch(r"(?:linewatch|\.)\[([\w,]+)\]", word)
        unknown = set(found[1].split(",")) - set(project["optional-dependencies"]) if found else set()
        assert not unknown, f"no such extra: {unknown}"


def _module(words: list[str]) -> None:
    if words[0] == "linewatch":
        parse(words[1:])
    elif words[0].partition(".")[0] in ("linewatch", "benchmarks"):
        assert importlib.util.find_spec(words[0]) is not None, f"no such module: {words[0]}"
