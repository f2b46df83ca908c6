"""Append-only line files: whatever instant a write is cut at, the whole lines stay and the torn one goes."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.core.errors import StorageError
from linewatch.core.jsonlines import LineFile, read_lines, torn_end

VALUES = [{"n": n, "text": "x" * n} for n in range(5)]


def written(path: Path) -> bytes:
    file = LineFile(path)
    for value in VALUES:
        file.append(value)
    file.close()
    return path.read_bytes()


def test_every_cut_leaves_the_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    data = written(path)
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        whole = data[:cut].count(b"\n")
        assert [json.loads(line) for _, line in read_lines(path)] == VALUES[:whole]
        file = LineFile(path)
        file.append({"next": True})
        file.close()
        assert [json.loads(line) for _, line in read_lines(path)] == [*VALUES[:whole], {"next": True}]


@given(st.binary(max_size=300))
def test_whatever_a_power_loss_appended_is_cut_off(tmp_path_factory: pytest.TempPathFactory, rubbish: bytes) -> None:
    path = tmp_path_factory.mktemp("torn") / "log.jsonl"
    path.write_bytes(b'{"n":1}\n' + rubbish.replace(b"\n", b"\0") + b"\0")
    repaired = LineFile(path)
    repaired.close()
    assert repaired.repaired > 0
    assert path.read_bytes() == b'{"n":1}\n'


def test_a_last_line_of_zeros_with_a_newline_is_torn_too(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"n":1}\n' + b"\0" * 70_000 + b"\n")
    assert torn_end(path) == 70_001
    assert [number for number, _ in read_lines(path)] == [1]


def test_a_line_that_the_disk_does_not_take_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "full").symlink_to("/dev/full")
    file = LineFile(tmp_path / "full")
    with pytest.raises(StorageError, match="No space left on device"):
        file.append({"n": 1})
    file.close()


def test_errors_name_the_path(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"none/log\.jsonl: No such file"):
        LineFile(tmp_path / "none" / "log.jsonl")
    with pytest.raises(StorageError, match=r"log\.jsonl: No such file"):
        list(read_lines(tmp_path / "log.jsonl"))
