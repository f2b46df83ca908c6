"""What systemd hears, over a path and over an abstract name."""

import os
import socket
from pathlib import Path

import pytest

from linewatch.core.errors import ConfigError
from linewatch.line.systemd import Notifier, check_watchdog


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_hears_every_state(tmp_path: Path, abstract: bool) -> None:
    name = f"@linewatch-test-{os.getpid()}" if abstract else str(tmp_path / "notify.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name[1:] if abstract else name)
        systemd.settimeout(2)
        notifier = Notifier(name)
        notifier.ready("starting")
        notifier.watchdog()
        notifier.status("inspecting")
        notifier.stopping("bye")
        heard = [systemd.recv(500).decode().split("\n") for _ in range(4)]
        notifier.close()
    assert heard[0][:2] == ["READY=1", "STATUS=starting"]
    assert heard[1:] == [["WATCHDOG=1"], ["STATUS=inspecting"], ["STOPPING=1", "STATUS=bye"]]


def test_without_systemd_and_with_one_that_is_gone_nothing_happens(tmp_path: Path) -> None:
    Notifier("").ready("starting")
    notifier = Notifier(str(tmp_path / "gone.sock"))
    notifier.watchdog()
    notifier.close()


def test_a_watchdog_that_would_kill_a_healthy_line_is_refused() -> None:
    for patient in ({}, {"WATCHDOG_USEC": ""}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "500000"}):
        check_watchdog(patient)
    with pytest.raises(ConfigError, match=r"WATCHDOG_USEC: 499999: us must be at least 500000.*raise WatchdogSec"):
        check_watchdog({"WATCHDOG_USEC": "499999"})
