"""What the command line offers, and that the documents name nothing else."""

import contextlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
import typer.main
from typer.core import TyperGroup

import linewatch
from linewatch.cli.app import app

PROJECT = Path(linewatch.__file__).parent.parent
CPU_S = 5.0  # ten times what `--help` may take


def commands_of(path: Path) -> Iterator[str]:
    """Command lines of a document: the lines of its ```sh blocks, long ones joined."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from (line for line in block.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def words_of(line: str) -> list[str]:
    """The words of a command line up to its comment, pipe or redirection, without assignments before it."""
    words: list[str] = []
    for word in shlex.split(line, comments=True):
        if word in ("|", ">", "2>", "&&", "&", ";"):
            break
        if words or not re.match(r"\w+=", word):
            words.append(word)
    return words


def documented(program: str, *documents: str) -> list[list[str]]:
    """The words after `program` (with or without a path) in the documents' command lines."""
    lines = [words_of(line) for name in documents for line in commands_of(PROJECT / name)]
    return [words[1:] for words in lines if words and words[0].rpartition("/")[2] == program]


def parse(arguments: list[str]) -> None:
    """Parse the arguments of `linewatch` as the program would, and run nothing. Raises what the program would say."""
    command = typer.main.get_command(app)
    while isinstance(command, TyperGroup):
        assert arguments and arguments[0] in command.commands, f"no such command: {' '.join(arguments)}"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    with contextlib.suppress(typer.Exit):  # --help
        command.make_context("linewatch", list(arguments))


def leaves(group: TyperGroup, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from leaves(command, (*path, name))
        else:
            yield (*path, name), command


def test_readme_names_commands_and_options_that_exist() -> None:
    lines = documented("linewatch", "README.md")
    assert lines
    for arguments in lines:
        parse(arguments)


def test_readme_names_make_targets_that_exist() -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    lines = documented("make", "README.md")
    assert lines
    named = {word for words in lines for word in words if "=" not in word}
    assert named <= set(targets)


def test_the_unit_starts_a_command_that_exists() -> None:
    unit = (PROJECT / "systemd" / "linewatch@.service").read_text(encoding="utf-8")
    (start,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    program, *arguments = shlex.split(start)
    assert program.endswith("/linewatch")
    parse(arguments)


def test_every_command_and_option_is_explained() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    for path, command in leaves(group):
        assert command.help, path
        for parameter in command.params:
            assert getattr(parameter, "help", None), (path, parameter.name)


def test_help_is_instant_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, time\n"
        "from linewatch.cli import main\n"
        "assert main(['--help']) == 0\n"
        "heavy = {'torch', 'torchvision', 'cv2', 'numpy', 'zmq', 'serial', 'matplotlib'} & sys.modules.keys()\n"
        "print(heavy or 'light', time.process_time(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    loaded, cpu_s = done.stderr.rsplit(maxsplit=1)
    assert loaded == "light"
    assert float(cpu_s) < CPU_S


def test_the_line_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "import linewatch.line.run, linewatch.cli.stations\n"
        "print({'torch', 'torchvision', 'cv2', 'numpy'} & sys.modules.keys() or 'light')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "light"
