"""How the command line starts: at once, with nothing heavy, and as the service starts it."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import linewatch
from tests.docs.words import parse

PROJECT = Path(linewatch.__file__).parent.parent
CPU_S = 5.0  # ten times what `--help` may take


def test_the_unit_starts_a_command_that_exists() -> None:
    unit = (PROJECT / "systemd" / "linewatch@.service").read_text(encoding="utf-8")
    (start,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    program, *arguments = shlex.split(start)
    assert program.endswith("/linewatch")
    parse(arguments)


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
