"""The runtime folder: private, and one daemon a station."""

import os
import stat
from pathlib import Path

import pytest

from linewatch.core.errors import EndpointError, StorageError
from linewatch.line.runtime import lock, private_folder, resolve, runtime_folder


def test_the_folder_is_where_systemd_or_the_session_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert runtime_folder("t1") == Path("/run/user/7/linewatch/t1")
    monkeypatch.setenv("RUNTIME_DIRECTORY", "/run/linewatch:/run/other")
    assert runtime_folder("t1") == Path("/run/linewatch/t1")
    assert runtime_folder("t1", tmp_path) == tmp_path / "t1"
    monkeypatch.delenv("RUNTIME_DIRECTORY")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert runtime_folder("t1").name == "t1"
    assert f"linewatch-{os.geteuid()}" in str(runtime_folder("t1"))


def test_the_folder_is_made_private(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "t1"
    (tmp_path / "a").mkdir()
    folder.mkdir(mode=0o777)
    assert stat.S_IMODE(private_folder(folder).stat().st_mode) == 0o700


def test_a_folder_that_is_not_ours_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("")
    for name in ("link", "file"):
        with pytest.raises(StorageError, match=name):
            private_folder(tmp_path / name)


def test_a_second_daemon_is_told_who_is_first(tmp_path: Path) -> None:
    with lock(tmp_path), pytest.raises(EndpointError, match=rf"another linewatch \(process {os.getpid()}\)"):
        lock(tmp_path)
    lock(tmp_path).close()


def test_runtime_in_an_endpoint_is_replaced() -> None:
    assert resolve("ipc://@runtime/o.sock", Path("/run/x")) == "ipc:///run/x/o.sock"
