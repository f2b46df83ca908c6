"""The demo with its page: the real line, the real page, one command."""

import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import linewatch

PROJECT = Path(linewatch.__file__).parent.parent
TRUTH = PROJECT / "tests" / "demo" / "truth" / "line.py"
DEMO = """
import sys
from pathlib import Path
from linewatch.demo.run import demo
sys.exit(demo(30, output=Path(sys.argv[1]), pace="60", defect_rate=0.5, dashboard=True, warm_up_s=1.0,
              run_command=[sys.executable, sys.argv[2]]))
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(480)]


def test_the_demo_serves_the_page_of_its_line_and_takes_it_down(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DEMO, str(tmp_path / "out"), str(TRUTH)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "COLUMNS": "120", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as demo:
        assert demo.stdout is not None
        said = ""
        while not (found := re.search(r"operator page: (http://\S+/)", said)):
            line = demo.stdout.readline()
            assert line, said
            said += line
        url = found[1]
        assert ready(url, limit_s=200)
        with urllib.request.urlopen(url + "metrics", timeout=60) as answer:
            assert b"linewatch_triggers_total" in answer.read()
        demo.communicate(timeout=300)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url + "healthz", timeout=60)
    assert "Traceback" not in (tmp_path / "out" / "page.log").read_text()


def ready(url: str, limit_s: float) -> bool:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url + "readyz", timeout=60) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.2)
    return False
