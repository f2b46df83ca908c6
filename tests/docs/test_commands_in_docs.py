"""Every ```sh block (```console: what follows `$ `) of README.md, ARCHITECTURE.md and docs/*.md is run by bash, page by page, in a
folder like the project's; a comment above the fence says else: <!-- slow -->, <!-- serves --> (until Ctrl-C) or <!-- not run: REASON -->.

Lines of all blocks, run or not, are also parsed by the program that they name: options, make targets, extras, modules.
Slow and serving blocks run in the slow suite, after the quick ones of their page, whose files they may use.
"""  # noqa: E501

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

import linewatch
from linewatch.cli.ending import INTERRUPTED
from linewatch.sim.gate import VirtualGate
from tests.docs.blocks import Block, blocks_of
from tests.docs.words import ask, commands_of, name_only

PROJECT = Path(linewatch.__file__).parent.parent
PAGES = [PROJECT / "README.md", PROJECT / "ARCHITECTURE.md", *sorted((PROJECT / "docs").glob("*.md"))]
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
SERVES_S = 8.0  # a program that serves is still there then
LIMIT_S = 600.0


def pages(*modes: str) -> list[Path]:
    """The pages that have a block of one of the modes."""
    return [page for page in PAGES if any(block.page == page and block.mode in modes for block in BLOCKS)]


def name(page: Path) -> str:
    return page.stem


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.where)
def test_the_programs_know_what_the_block_asks_of_them(block: Block) -> None:
    commands = list(commands_of(block.script))
    assert commands, block.where
    for words in commands:
        ask(words)
    done = subprocess.run(["bash", "-n"], input=block.script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_sentences_name_commands_and_options_that_exist(page: Path) -> None:
    for code in re.findall(r"`linewatch ([^`]+)`", page.read_text(encoding="utf-8")):
        name_only(code.split())


@pytest.mark.parametrize("page", pages("quick"), ids=name)
def test_the_quick_blocks_of_a_page_run(page: Path, site: Path, environment: dict[str, str]) -> None:
    for block in BLOCKS:
        if block.page == page and block.mode == "quick":
            run(block, site, environment)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", pages("slow", "serves"), ids=name)
def test_all_blocks_of_a_page_run(page: Path, site: Path, environment: dict[str, str], gate: VirtualGate) -> None:
    assert gate.path
    for block in BLOCKS:
        if block.page == page and block.mode == "serves":
            serve(block, site, environment)
        elif block.page == page and block.mode != "not run":
            run(block, site, environment)


def run(block: Block, site: Path, environment: dict[str, str]) -> None:
    """Every command of the block ends with 0."""
    script = f"{block.script}:"  # else bash would become its last command, and --install-completion asks for its shell
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script], cwd=site, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.where}:\n{block.script}\n{done.stdout}\n{done.stderr}"


def serve(block: Block, site: Path, environment: dict[str, str]) -> None:
    """Each command of the block stays, and leaves at Ctrl-C as it should."""
    for line in block.script.replace("\\\n", " ").splitlines():
        log = site / "served.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"], cwd=site, env=environment, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, start_new_session=True,
            )  # fmt: skip
        try:
            time.sleep(SERVES_S)
            assert process.poll() is None, f"{block.where}: {line} ended:\n{log.read_text()}"
            os.killpg(process.pid, signal.SIGINT)
            assert process.wait(60) in (0, INTERRUPTED), f"{block.where}: {line}\n{log.read_text()}"
        finally:
            process.kill()
            process.wait()


@pytest.mark.parametrize("mark", ["slow ", "not run", "not run: ", "later"])
def test_a_comment_that_is_no_mark_is_refused(tmp_path: Path, mark: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"<!-- {mark} -->\n```sh\nlinewatch --help\n```\n")
    if mark.strip() == "slow":
        assert [block.mode for block in blocks_of(page)] == ["slow"]
        return
    with pytest.raises(ValueError, match=r"page\.md:3"):
        blocks_of(page)


@pytest.mark.parametrize(
    "line",
    [
        "linewatch nonsense", "linewatch check a.yaml --online", "sudo .venv/bin/linewatch install --prefux /",
        "make deno", "pip install 'linewatch[plc]'", "python -m linewatch.nothing", "X=1 linewatch run",
        "a | linewatch b",
    ],
)  # fmt: skip
def test_what_no_program_knows_is_noticed(line: str) -> None:
    with pytest.raises((AssertionError, Exception), match=r"no such|No such|Missing"):
        for words in commands_of(line):
            ask(words)


@pytest.mark.parametrize("line", ["linewatch check nowhere.yaml", "false | true", "sudo true", "pip install ."])
def test_a_command_that_fails_is_noticed(site: Path, environment: dict[str, str], tmp_path: Path, line: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"```console\n$ {line}\nwhat it said\n$ true\n```\n")
    (block,) = blocks_of(page)
    assert block.script == f"{line}\ntrue\n"
    with pytest.raises(AssertionError, match=r"page\.md:2"):
        run(block, site, environment)
