"""The installed unit under a real systemd: started, hung, killed, wrongly configured, mended, stopped.

The systemd is a user's instance in a mount namespace of its own (systemd_here.sh); the daemon is the real one with the
small children of tests/line. Taken from the unit is what a user's instance cannot have, its user and groups, and what
would hide the test's own gate and folder from it: DevicePolicy and PrivateTmp.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from linewatch.install.install import install
from linewatch.install.layout import UNIT
from linewatch.sim.gate import VirtualGate

PROJECT = Path(__file__).parents[2]
SYSTEMD = Path("/lib/systemd/systemd")
SCRIPT = Path(__file__).with_name("systemd_here.sh")
DAEMON = PROJECT / "tests/line/children/daemon.py"
NAME = "linewatch@bottle.service"
TARGETS = ("basic", "sysinit", "shutdown", "default")
EXIT_UNITS = {
    "exit.target": "[Unit]\nDefaultDependencies=no\nRequires=systemd-exit.service\nAfter=systemd-exit.service\n",
    "systemd-exit.service": (
        "[Unit]\nDefaultDependencies=no\nSuccessAction=exit-force\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
    ),
}
STATION = {
    "name": "bottle",
    "camera": {"kind": "simulated"},
    "detector": {"model": "models/m"},
    "acceptance": [{"class": "*"}],
    "line": {"deadline_ms": 800},
    "rejecter": {"transport_ms": 1500},
    "storage": {"output": "out"},
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SYSTEMD.exists() or os.geteuid() != 0, reason="needs systemd, and root to mount"),
]


class Systemd:
    """One instance and its units. folder: with the station, the log and the records."""

    def __init__(self, folder: Path, gate: str) -> None:
        self.folder, self.gate = folder, gate
        self.group = f"linewatch-test-{os.getpid()}"
        self._lay_out()
        words = ["unshare", "--mount", "sh", str(SCRIPT), str(folder), self.group]
        self._shell = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, command: str) -> str:
        """What `command` says inside."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.write(f"{command}\n")
        self._shell.stdin.flush()
        said = []
        while not (line := self._shell.stdout.readline()).startswith("==="):
            assert line or self._shell.poll() is None, "the instance of systemd did not start"
            said.append(line)
        return "".join(said)

    def show(self) -> dict[str, str]:
        names = "MainPID,ActiveState,SubState,NRestarts,Result,ExecMainStatus,StatusText"
        lines = self.do(f"systemctl --user show -p {names} {NAME}").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def write_station(self, **changes: object) -> None:
        gate = {"kind": "framed", "port": self.gate}
        (self.folder / "bottle.yaml").write_text(yaml.safe_dump({**STATION, "gate": gate, **changes}))

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.do(f"systemctl --user stop {NAME}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._shell.communicate(timeout=20)
        for tree in ("systemd", "unified"):
            group = Path("/sys/fs/cgroup", tree, self.group)
            for process in (group / "init.scope/cgroup.procs", group / "cgroup.procs"):
                for pid in process.read_text().split() if process.exists() else []:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.2)
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()

    def _lay_out(self) -> None:
        install(self.folder / "laid", "root")
        units = self.folder / "units"
        drop_in = units / f"{NAME}.d"
        drop_in.mkdir(parents=True)
        (self.folder / "home").mkdir()
        shutil.copy(self.folder / "laid" / UNIT, units / "linewatch@.service")
        for target in TARGETS:
            (units / f"{target}.target").write_text("[Unit]\nDefaultDependencies=no\n")
        for name, text in EXIT_UNITS.items():
            (units / name).write_text(text)
        command = f"{sys.executable} {DAEMON} {self.folder}/bottle.yaml ${{RUNTIME_DIRECTORY}} {self.folder}"
        (drop_in / "here.conf").write_text(
            f"[Service]\nExecStart=\nExecStart={command}\nEnvironment=PYTHONPATH={PROJECT}\nUser=\nSupplementaryGroups=\n"
            f"WorkingDirectory={self.folder}\nReadWritePaths={self.folder} /dev\nDevicePolicy=auto\nDeviceAllow=\n"
            f"PrivateTmp=no\nNice=0\nStandardError=append:{self.folder}/log\n"
        )


@pytest.fixture
def systemd() -> Iterator[Systemd]:
    with tempfile.TemporaryDirectory(prefix="lw", dir="/var/tmp") as folder, VirtualGate() as gate:
        made = Systemd(Path(folder), gate.path)
        made.write_station()
        end = time.monotonic() + 20
        while "running" not in made.do("systemctl --user is-system-running") and time.monotonic() < end:
            time.sleep(0.2)
        yield made
        made.close()


def until(condition: Callable[[], bool], limit_s: float = 60.0) -> bool:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.timeout(400)
def test_the_unit_starts_watches_restarts_and_stops_the_line(systemd: Systemd) -> None:
    systemd.do(f"systemctl --user start {NAME}")  # returns once the daemon said READY
    started = systemd.show()
    log = systemd.folder / "log"
    said = log.read_text() if log.exists() else ""
    assert started["ActiveState"] == "active", (sorted(started.items()), said)
    assert until(lambda: systemd.show()["StatusText"] == "inspecting"), systemd.show()

    def again(before: dict[str, str]) -> bool:
        now = systemd.show()
        return now["ActiveState"] == "active" and now["MainPID"] not in ("0", before["MainPID"])

    began = time.monotonic()
    os.kill(int(started["MainPID"]), signal.SIGSTOP)  # the deciding loop hangs: nobody feeds the watchdog
    assert until(lambda: again(started)), systemd.show()
    hung_s = time.monotonic() - began
    assert hung_s > 1.5

    for _ in range(7):  # more often than systemd's own limit of starts (5 in 10 s) allows
        before = systemd.show()
        os.kill(int(before["MainPID"]), signal.SIGKILL)
        assert until(partial(again, before)), systemd.show()
    assert int(systemd.show()["NRestarts"]) >= 8
    assert until(lambda: systemd.show()["StatusText"] == "inspecting")

    systemd.write_station(colour="red")
    os.kill(int(systemd.show()["MainPID"]), signal.SIGKILL)
    assert until(lambda: systemd.show()["ActiveState"] == "failed"), systemd.show()
    time.sleep(3)  # three times RestartSec
    refused = systemd.show()
    assert (refused["ActiveState"], refused["ExecMainStatus"]) == ("failed", "3")
    assert "colour: 'red': unknown key" in log.read_text()

    systemd.write_station()
    systemd.do(f"systemctl --user start {NAME}")
    assert systemd.show()["ActiveState"] == "active"
    systemd.do(f"systemctl --user stop {NAME}")
    ended = systemd.show()
    assert (ended["ActiveState"], ended["Result"], ended["ExecMainStatus"]) == ("inactive", "success", "0")
    print(f"\nhung loop to a new daemon that is ready: {hung_s:.1f} s")
