"""`--help`, man pages and completion say all that a user needs, and what they say is true."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner

import linewatch
from linewatch.cli import main
from linewatch.cli.app import app
from linewatch.cli.examples import EXAMPLES
from linewatch.cli.manuals import manuals, pages_of_all
from linewatch.cli.tree import leaves
from tests.docs.words import ask, commands_of

PROJECT = Path(linewatch.__file__).parent.parent
GROUP = typer.main.get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = dict(leaves(GROUP))
needs_groff = pytest.mark.skipif(shutil.which("groff") is None, reason="groff, which man is made of, is not installed")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_is_explained_and_shown_by_example(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), parameter.name
    assert " ".join(path) in EXAMPLES, "put an example into linewatch/cli/examples.py"


def test_there_are_no_examples_of_commands_that_are_gone() -> None:
    assert set(EXAMPLES) == {" ".join(path) for path in COMMANDS}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_understood(name: str) -> None:
    commands = list(commands_of("\n".join(EXAMPLES[name])))
    assert commands[0][1 : 1 + len(name.split())] == name.split()
    for words in commands:
        ask(words)


def test_options_in_units_say_which() -> None:
    """An option that ends in _ms is explained with its unit, and brackets of extras are not taken for markup."""
    for path, command in COMMANDS.items():
        for parameter in command.params:
            if (parameter.name or "").endswith("_ms"):
                assert re.search(r"\bms\b", getattr(parameter, "help", "")), (path, parameter.name)
    assert "linewatch[teacher]" in CliRunner().invoke(app, ["prompts", "embed", "--help"]).output


@pytest.mark.parametrize("group", [(), *sorted({path[:1] for path in COMMANDS if len(path) > 1})], ids=" ".join)
def test_no_line_of_a_list_is_cut_short(group: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*group, "--help"]).output
    assert "..." not in shown.replace("[ARGS]...", "")
    for path in COMMANDS:
        if path[:-1] == group:
            assert re.search(rf"^  {path[-1]} ", shown, re.MULTILINE)


@needs_groff
def test_the_pages_are_set_without_a_warning(tmp_path: Path) -> None:
    assert main(["man", "--output", str(tmp_path / "man1")]) == 0
    pages = sorted((tmp_path / "man1").iterdir())
    assert {page.name for page in pages} == {"linewatch.1", *(f"linewatch-{'-'.join(path)}.1" for path in COMMANDS)}
    setting = ["groff", "-man", "-Tascii", "-P-c", "-ww", "-rHY=0", "-rLL=100n"]
    done = subprocess.run([*setting, *map(str, pages)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for words in (
        "--deadline-ms",
        "linewatch-keys-new - Make NAME.key",
        "0<=x<=255",
        "linewatch[teacher]",
        "130 Ctrl-C",
    ):
        assert words in " ".join(done.stdout.split())  # lines are filled with blanks
    assert "\\\n" in done.stdout  # of an example that goes on


def test_a_page_shows_every_option_of_its_command() -> None:
    pages = pages_of_all()
    for path, command in COMMANDS.items():
        text = pages[f"linewatch-{'-'.join(path)}.1"].replace("\\-", "-")
        for parameter in command.params:
            assert all(name in text for name in parameter.opts if name.startswith("-")), (path, parameter.opts)


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["man", "--output", str(tmp_path / "file" / "man1")]) == 5
    assert "file/man1/linewatch.1" in capfd.readouterr().err


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    """The environment of a shell that has `linewatch` on its path."""
    program = tmp_path / "bin" / "linewatch"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m linewatch "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(PROJECT)}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("linewatch keys re", "revoke"),
        pytest.param("linewatch rec", "record", marks=pytest.mark.slow),
        pytest.param("linewatch check s.yaml --off", "--offline", marks=pytest.mark.slow),
    ],
)
def test_bash_completes_by_the_lines_that_install_lays_out(
    programs: dict[str, str], tmp_path: Path, typed: str, offered: str
) -> None:
    script = next(text for place, text in manuals().items() if "bash-completion" in place)
    (tmp_path / "completion").write_text(script)
    words = typed.split()
    asked = f"source completion; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _linewatch_completion linewatch; " \
        'printf "%s\\n" "${COMPREPLY[@]}"'  # fmt: skip
    done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, env=programs, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [offered]


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_zsh_and_fish_are_answered_with_the_help(programs: dict[str, str], shell: str) -> None:
    asked = {"_LINEWATCH_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "linewatch rec"}
    action = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    done = subprocess.run(
        ["linewatch"], env={**programs, **asked, **action}, capture_output=True, text=True, check=True
    )
    assert "record" in done.stdout and "replay" in done.stdout.replace("`", "")
    script = next(text for place, text in manuals().items() if shell in place)
    assert "_LINEWATCH_COMPLETE" in script
