"""How commands end, whatever they end with."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

import pytest
import typer

from linewatch.cli import main
from linewatch.cli.ending import DEBUG, INTERRUPTED, OUR_FAULT, ended
from linewatch.core.errors import CheckFailed, DatasetError, GateError, LinewatchError, PictureError, UsageError


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["fly"], "fly"),
        (["run"], "STATION"),
        (["run", "s.yaml", "--fast"], "--fast"),
        (["run", "s.yaml", "more"], "more"),
        (["replay", ".", "--station", "s.yaml", "--limit", "0"], "--limit: '0'"),
        (["replay", ".", "--station", "s.yaml", "--limit", "some"], "--limit: 'some'"),
        (["replay", ".", "--station", "s.yaml", "--pace", "slow"], "--pace: 'slow'"),
        (["demo", "--seconds", "0"], "--seconds: '0'"),
        (["demo", "--defect-rate", "2"], "--defect-rate: '2'"),
        (["evaluate", "--model", "m", "--annotations", "a", "--output", "o", "--threshold", "nan"], "--threshold"),
        (["train", "c.yaml", "--device", "tpu"], "--device: 'tpu'"),
        (["render", "--output", "o", "--count", "-1"], "--count: '-1'"),
        (["models", "fetch", "everything"], "everything"),
    ],
)
def test_wrong_arguments_are_named_in_one_line(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("linewatch: ")
    assert named in line
    assert line.endswith("--help`")


@pytest.mark.parametrize("arguments", [[], ["models"], ["prompts"]])
def test_no_command_shows_the_help_alone(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert "Commands" in said.out
    assert said.err == ""


def app_that_raises(error: BaseException) -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)

    @app.command()
    def fail() -> NoReturn:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CheckFailed("a", "differs"), 1),
        (UsageError("--x", "no"), 2),
        (DatasetError("d.json", "no"), 3),
        (GateError("/dev/x", "no"), 4),
        (PictureError("p.png", "no"), 5),
    ],
)
def test_our_errors_end_with_their_code(error: LinewatchError, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(app_that_raises(error), []) == code
    assert capsys.readouterr().err == f"linewatch: {error}\n"


def test_a_fault_of_ours_is_one_line_and_says_how_to_see_more(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_that_raises(RuntimeError("first\nsecond"))
    monkeypatch.delenv(DEBUG, raising=False)
    assert ended(app, []) == OUR_FAULT
    (line,) = capsys.readouterr().err.splitlines()
    assert "RuntimeError: first second" in line
    assert DEBUG in line
    monkeypatch.setenv(DEBUG, "1")
    assert ended(app, []) == OUR_FAULT
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(app_that_raises(KeyboardInterrupt()), []) == INTERRUPTED
    assert ended(app_that_raises(typer.Abort()), []) == INTERRUPTED
    assert capsys.readouterr().err == ""


def test_what_a_command_returns_is_its_exit_code() -> None:
    app = typer.Typer()

    @app.command()
    def seven() -> int:
        return 7

    assert ended(app, []) == 7


def test_a_reader_that_goes_away_needs_no_explanation() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as nobody:
        command = [sys.executable, "-m", "linewatch", "--help"]
        done = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, text=True, check=False)
    assert done.stderr == ""


def heed_ctrl_c() -> None:
    """A shell that starts the tests in the background lets them, and all that they start, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_leaves_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "linewatch", "render", "--count", "100000", "--output", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c) as process:
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up and not list(tmp_path.glob("images/*")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == INTERRUPTED
