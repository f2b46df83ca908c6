"""A site folder as `make setup` leaves it, in which the commands of the documents run.

Its programs are this linewatch; those that could change the machine are not there.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import linewatch
from linewatch.sim.gate import VirtualGate

PROJECT = Path(linewatch.__file__).parent.parent
PROGRAMS = {"linewatch": "-m linewatch", "python": "", "pytest": "-m pytest"}
NOT_HERE = (
    "sudo",
    "pip",
    "apt-get",
    "systemctl",
    "make",
    "git",
)  # a page that forgets its mark must not change the machine


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Path]:
    """.venv, and copies of the shipped stations, models and calibrations; 25 MB, so it does not stay."""
    folder = tmp_path / "site"
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, module in PROGRAMS.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
    for name in NOT_HERE:
        (programs / name).write_text(
            f"#!/bin/sh\necho '{name}: not in a test: <!-- not run: REASON -->' >&2\nexit 97\n"
        )
    for program in programs.iterdir():
        program.chmod(0o755)
    (programs / "activate").write_text(f"PATH={programs}:$PATH\n")
    for name in ("models", "stations", "calibration"):
        shutil.copytree(PROJECT / name, folder / name)
    shipped = folder / "stations" / "bottle-sim.yaml"
    text = shipped.read_text().replace("/tmp/linewatch-gate", str(tmp_path / "gate"))
    shipped.write_text(f"{text}dashboard: {{port: 0}}\n")  # the usual port may be another test's
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def environment(site: Path) -> dict[str, str]:
    """linewatch on the path, a runtime folder and a home of its own, and no colours."""
    path = f"{site / '.venv' / 'bin'}:{os.environ['PATH']}"
    own = {"RUNTIME_DIRECTORY": str(site.parent / "r"), "HOME": str(site.parent)}
    return {**os.environ, "PYTHONPATH": str(PROJECT), "PATH": path, "COLUMNS": "120", "OMP_NUM_THREADS": "2", **own}


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[VirtualGate]:
    """The gate of stations/bottle-sim.yaml, which sees a bottle every two seconds."""
    with VirtualGate(tmp_path / "gate") as gate:
        gate.start(30)
        yield gate
