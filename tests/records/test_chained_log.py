"""The running line's log: what a kill leaves, what tampering leaves, and what a disk or another process does to it."""

import contextlib
import hmac
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from linewatch.core.errors import CheckFailed, LinewatchError, StorageError
from linewatch.core.messages import Verdict
from linewatch.records.audit import verify
from linewatch.records.chain import DATABASE, SCHEMA
from linewatch.records.chained_log import ChainedLog
from linewatch.records.decision_log import line_of, read_decisions, read_texts
from linewatch.records.json_log import JsonLog
from linewatch.records.run_folder import RunFolder
from linewatch.records.summary import SUMMARY
from linewatch.records.sweep import sweep
from linewatch.records.tip import TIP, read_tip

PROJECT = Path(__file__).parents[2]
Make = Callable[..., Any]
WRITER = [sys.executable, str(Path(__file__).with_name("chained_writer.py"))]


@pytest.fixture
def run(tmp_path: Path, make_record: Make) -> Path:
    """A closed run of nine parts, every third a reject."""
    folder = RunFolder(tmp_path / "run", open_log=partial(ChainedLog, station="bottle-sim"))
    for seq in range(1, 10):
        folder.record(make_record(seq, Verdict.PASS if seq % 3 else Verdict.REJECT), None)
        if seq % 4 == 0:
            folder.sync()
    folder.close()
    return tmp_path / "run"


@contextlib.contextmanager
def opened(run: Path) -> Iterator[sqlite3.Connection]:
    """As somebody with a SQLite tool opens the log."""
    with contextlib.closing(sqlite3.connect(run / DATABASE)) as connection, connection:
        yield connection


def rehash(connection: sqlite3.Connection, first: int = 0) -> None:
    """Chain the rows anew from row `first` on, as docs/audit.md says how."""
    rows = connection.execute("SELECT number, line, hash FROM lines ORDER BY number").fetchall()
    previous = "0" * 64
    for number, line, found in rows:
        kept = found if number < first else sha256((previous + line).encode()).hexdigest()
        connection.execute("UPDATE lines SET hash = ? WHERE number = ?", (kept, number))
        previous = kept


def change(connection: sqlite3.Connection, number: int = 3) -> None:
    connection.execute("UPDATE lines SET line = replace(line, 'REJECT', 'PASS') WHERE number = ?", (number,))


def move(connection: sqlite3.Connection, first: int, step: int) -> None:
    """Renumber the rows from `first` on, so that no gap is left or room is made."""
    connection.execute("UPDATE lines SET number = -number - ? WHERE number >= ?", (step, first))
    connection.execute("UPDATE lines SET number = -number WHERE number < 0")


def remove(connection: sqlite3.Connection, *numbers: int) -> None:
    connection.executemany("DELETE FROM lines WHERE number = ?", [(number,) for number in numbers])


def removed_and_closed_up(connection: sqlite3.Connection) -> None:
    remove(connection, 5)
    move(connection, 6, -1)


def insert(connection: sqlite3.Connection, number: int, *, chained: bool) -> None:
    """Put a part that was not into the place of row `number`, with a hash that fits or one that does not."""
    move(connection, number, 1)
    (before,) = connection.execute("SELECT hash FROM lines WHERE number = ?", (number - 1,)).fetchone()
    line = connection.execute(
        "SELECT replace(line, '\"seq\":1,', '\"seq\":99,') FROM lines WHERE number = 1"
    ).fetchone()[0]
    found = sha256((before + line).encode()).hexdigest() if chained else "f" * 64
    connection.execute("INSERT INTO lines VALUES (?, ?, ?)", (number, line, found))


def swap(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE lines SET number = -1 WHERE number = 4")
    connection.execute("UPDATE lines SET number = 4 WHERE number = 5")
    connection.execute("UPDATE lines SET number = 5 WHERE number = -1")


def changed_and_rehashed(connection: sqlite3.Connection) -> None:
    change(connection)
    rehash(connection)


def removed_and_rehashed(connection: sqlite3.Connection) -> None:
    removed_and_closed_up(connection)
    rehash(connection)


def added_at_the_end(connection: sqlite3.Connection) -> None:
    insert(connection, 10, chained=True)


def another_view(connection: sqlite3.Connection) -> None:
    connection.execute("DROP VIEW decisions")
    connection.execute("CREATE VIEW decisions AS SELECT * FROM lines")


TAMPERED: list[tuple[Callable[[sqlite3.Connection], object], str]] = [
    (change, "row 3: changed"),
    (partial(change, number=9), "row 9: changed"),
    (lambda found: found.execute("UPDATE lines SET hash = upper(hash) WHERE number = 6"), "row 6: changed"),
    (lambda found: found.execute("UPDATE lines SET hash = x'00ff' WHERE number = 6"), "row 6: changed"),
    (lambda found: found.execute("UPDATE lines SET line = '{}' WHERE number = 0"), "row 0: changed"),
    (lambda found: remove(found, 5), "row 5: removed"),
    (lambda found: remove(found, 0), "row 0: removed"),
    (lambda found: found.execute("UPDATE lines SET number = -7 WHERE number = 5"), "row -7: inserted"),
    (removed_and_closed_up, "row 5: removed: what stood before it; the log has 1 rows too few"),
    (partial(insert, number=4, chained=False), "row 4: inserted: row 5 belongs behind row 3"),
    (partial(insert, number=4, chained=True), "row 4: inserted: row 5 belongs behind row 3"),
    (swap, "row 4: reordered: it belongs behind row 5"),
    (lambda found: remove(found, 8, 9), "row 8: truncated: row 9 was noted as written"),
    (lambda found: found.execute("DELETE FROM lines"), "row 0: truncated: row 9 was noted as written"),
    (changed_and_rehashed, "row 9: changed, and all behind it hashed anew"),
    (removed_and_rehashed, "row 9: truncated: row 9 was noted as written"),
    (added_at_the_end, "row 10: inserted after the run was closed"),
    (another_view, "'CREATE VIEW decisions AS': changed: its tables and views are not those of the schema"),
]


@pytest.mark.parametrize(("tamper", "words"), TAMPERED)
def test_whatever_is_done_to_a_log_is_named(
    run: Path, tamper: Callable[[sqlite3.Connection], object], words: str
) -> None:
    assert verify(run).tip.number == 9
    with opened(run) as connection:
        tamper(connection)
    with pytest.raises(CheckFailed, match=re.escape(words)):
        verify(run)


def test_a_log_alone_is_verified_without_its_tip_and_with_a_hash_kept_elsewhere(run: Path, tmp_path: Path) -> None:
    kept = verify(run).tip.hash
    alone = tmp_path / "renamed.backup"
    alone.write_bytes((run / DATABASE).read_bytes())
    found = verify(alone, kept)
    assert (found.tip.number, found.noted, found.header.run, found.header.station) == (9, None, "run", "bottle-sim")
    with contextlib.closing(sqlite3.connect(alone)) as connection, connection:
        remove(connection, 9)
    assert verify(alone).tip.number == 8, "what nobody noted, nobody misses"
    with pytest.raises(CheckFailed, match="no row with this hash: changed or truncated"):
        verify(alone, kept)
    (run / TIP).unlink()
    with pytest.raises(CheckFailed, match=r"decisions\.tip: is missing"):
        verify(run)


def test_with_a_key_nobody_without_it_can_chain_anew(tmp_path: Path, make_record: Make) -> None:
    run = tmp_path / "keyed"
    run.mkdir()
    log = ChainedLog(run, "s", "secret")
    log.append([line_of(make_record(seq), (), None, "absent") for seq in (1, 2, 3)])
    log.close()
    with opened(run) as connection:
        rows = connection.execute("SELECT line, hash FROM lines ORDER BY number").fetchall()
    previous = "0" * 64
    for line, found in rows:
        assert found == hmac.new(b"secret", (previous + line).encode(), "sha256").hexdigest()
        previous = found
    assert verify(run, key="secret").tip.number == 3
    for key, words in ((None, "is chained with a key"), ("another", "row 0: changed")):
        with pytest.raises(LinewatchError, match=words):
            verify(run, key=key)
    without = ChainedLog(run, "s")
    with pytest.raises(StorageError, match=r"storage\.audit_key names none"):
        without.append([line_of(make_record(4), (), None, "absent")])
    without.close()
    (run / TIP).unlink()
    with opened(run) as connection:
        connection.execute("UPDATE lines SET line = replace(line, 'hmac-', '') WHERE number = 0")
        change(connection)
        rehash(connection)
    assert verify(run / DATABASE).tip.number == 3, "whole, as far as one without the key can know"
    with pytest.raises(CheckFailed, match="row 0: changed: the log is not chained with a key"):
        verify(run / DATABASE, key="secret")


def test_every_column_that_is_documented_is_there_and_agrees_with_the_lines(run: Path) -> None:
    page = (PROJECT / "docs/audit.md").read_text()
    for statement in SCHEMA:
        assert statement in page
    query = (
        "SELECT run, station, seq, time, verdict, cause, class, classes, score FROM decisions WHERE verdict = 'REJECT'"
    )
    with opened(run) as connection:
        rows = connection.execute(query).fetchall()
        boxes = connection.execute("SELECT seq, class, x, width FROM detections").fetchall()
        queries = re.findall(r"^SELECT .*;$", page, re.MULTILINE)
        assert queries and all(connection.execute(text).fetchall() for text in queries)
    wall = "2026-11-22T12:00:00.000+00:00"
    assert rows == [
        ("run", "bottle-sim", seq, wall, "REJECT", "defect", "crack", "crack", 0.9) for seq in (3, 6, 9)
    ]  # fmt: skip
    assert boxes == [(seq, "crack", 70, 20) for seq in (3, 6, 9)]


def test_the_chain_can_be_checked_by_anybody_as_the_page_says(run: Path) -> None:
    page = (PROJECT / "docs/audit.md").read_text()
    (script,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    shown = subprocess.run([sys.executable, "-c", script], cwd=run, capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["9", verify(run).tip.hash]
    with opened(run) as connection:
        change(connection)
    failed = subprocess.run([sys.executable, "-c", script], cwd=run, capture_output=True, text=True, check=False)
    assert "row 3 does not fit" in failed.stderr


@pytest.mark.parametrize("turns", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_what_was_acknowledged_outlives_sigkill_and_the_chain_goes_on(tmp_path: Path, turns: int) -> None:
    """A real writer killed at any moment, again and again; each goes on where the log of the one before ends."""
    folder = tmp_path
    for turn in range(turns):
        first = 1 if not turn else max(line.seq for line in read_decisions(folder)) - 3  # some come again
        command = [*WRITER, str(folder), str(max(1, first)), str(1 + 7 * (turn % 3))]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as writer:
            assert writer.stdout is not None
            acknowledged = int(writer.stdout.readline())
            time.sleep(0.013 * turn)
            writer.kill()
            whole = writer.stdout.read().split(b"\n")[:-1]
            acknowledged = int(whole[-1]) if whole else acknowledged
        seqs = [line.seq for line in read_decisions(folder)]
        assert seqs == list(range(1, len(seqs) + 1)), "each once, in order, none missing"
        assert len(seqs) >= acknowledged
        assert verify(folder).tip.number == len(seqs)


def test_a_recorder_killed_before_its_first_commit_leaves_a_log_that_is_begun_again(
    tmp_path: Path, make_record: Make
) -> None:
    (tmp_path / DATABASE).touch()
    assert list(read_decisions(tmp_path)) == []
    with pytest.raises(CheckFailed, match="is empty"):
        verify(tmp_path / DATABASE)
    log = ChainedLog(tmp_path, "s")
    log.append([line_of(make_record(1), (), None, "absent")])
    log.close()
    assert verify(tmp_path).tip.number == 1


def test_a_log_that_goes_on_is_read_and_verified_beside_its_writer(tmp_path: Path, make_record: Make) -> None:
    log = ChainedLog(tmp_path, "s")
    for seq in (1, 2):
        log.append([line_of(make_record(seq), (), None, "absent")])
        assert (verify(tmp_path).tip, len(list(read_decisions(tmp_path)))) == (read_tip(tmp_path), seq)
    reading = read_decisions(tmp_path)
    assert next(reading).seq == 1
    log.append([line_of(make_record(3), (), None, "absent")])
    log.close()  # while somebody reads: the files beside it stay, and nothing is lost
    assert [line.seq for line in reading] == [2]
    assert verify(tmp_path).tip.number == 3


def test_a_part_that_comes_again_is_logged_once(tmp_path: Path, make_record: Make) -> None:
    log = ChainedLog(tmp_path, "s")
    for seqs in ((1, 2), (2, 3), (3,)):
        log.append([line_of(make_record(seq), (), None, "absent") for seq in seqs])
    log.close()
    assert [line.seq for line in read_decisions(tmp_path)] == [1, 2, 3]


def test_a_log_cut_short_is_told_when_it_is_opened_again_and_stays_evident(run: Path, make_record: Make) -> None:
    with opened(run) as connection:
        remove(connection, 8, 9)
    (run / SUMMARY).unlink()
    (said,) = sweep(run.parent, "bottle-sim")
    assert "ends at row 7 and does not hold the noted row 9" in said
    told: list[str] = []
    again = RunFolder(run, tell=lambda *words: told.extend(words), open_log=partial(ChainedLog, station="bottle-sim"))
    for seq in (10, 11, 12):
        again.record(make_record(seq), None)
    again.close()
    assert told[0] == "log_changed"
    with pytest.raises(CheckFailed, match="row 9: changed, and all behind it hashed anew"):
        verify(run)


def test_a_log_without_its_first_row_is_left_as_it_is_by_the_next_recorder(run: Path) -> None:
    with opened(run) as connection:
        connection.execute("DELETE FROM lines")
    (run / SUMMARY).unlink()
    (said,) = sweep(run.parent, "bottle-sim")
    assert re.search(r"left as it is: .*decisions\.sqlite: row 0: was removed", said)


def test_a_damaged_tip_keeps_no_log_from_going_on(run: Path, make_record: Make) -> None:
    (run / TIP).write_text("rubbish")
    with pytest.raises(StorageError, match=r"decisions\.tip: is damaged"):
        verify(run)
    log = ChainedLog(run, "bottle-sim")
    assert log.remark is not None and "decisions.tip" in log.remark.text
    log.append([line_of(make_record(10), (), None, "absent")])
    log.close()
    assert (run / TIP).read_text() == "rubbish"


def overwritten(run: Path) -> None:
    data = bytearray((run / DATABASE).read_bytes())
    data[4096 : 4096 + 2048] = os.urandom(2048)
    (run / DATABASE).write_bytes(data)


def another_version(run: Path) -> None:
    with opened(run) as connection:
        connection.execute("PRAGMA user_version = 7")


def somebody_elses(run: Path) -> None:
    (run / DATABASE).unlink()
    with opened(run) as connection:
        connection.execute("CREATE TABLE wine (name)")


BAD: list[tuple[Callable[[Path], object], str]] = [
    (overwritten, r"decisions\.sqlite: is damaged"),
    (another_version, r"decisions\.sqlite: is a decision log of schema 7; this linewatch reads 1"),
    (somebody_elses, r"decisions\.sqlite: is a SQLite database, and no decision log of linewatch"),
    (lambda run: (run / DATABASE).write_bytes(b"rubbish" * 1000), r"decisions\.sqlite: is damaged, or no SQLite"),
    (lambda run: (run / DATABASE).unlink(), r"run: holds no decision log"),
    (lambda run: (run / DATABASE).write_bytes((run / DATABASE).read_bytes()[:5000]), r"decisions\.sqlite: is damaged"),
]


@pytest.mark.parametrize(("spoil", "words"), BAD)
def test_what_is_no_whole_log_is_named_in_one_line(run: Path, spoil: Callable[[Path], object], words: str) -> None:
    spoil(run)
    for read in (verify, lambda folder: list(read_decisions(folder))):
        with pytest.raises(StorageError, match=words) as refused:
            read(run)
        assert "\n" not in str(refused.value)


def test_a_locked_log_is_named_and_a_recorder_keeps_its_lines_until_it_is_free(run: Path, make_record: Make) -> None:
    told: list[str] = []
    again = RunFolder(run, tell=lambda *words: told.extend(words), open_log=partial(ChainedLog, station="bottle-sim"))
    with contextlib.closing(sqlite3.connect(run / DATABASE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        again.record(make_record(10), None)
        again.sync()
        again.sync()
        assert (again.unwritten, told[0], len(told)) == (1, "log_waiting", 2)
        assert "is locked by another process" in told[1]
        other.execute("ROLLBACK")
    again.sync()
    assert again.unwritten == 0
    again.close()
    assert verify(run).tip.number == 10


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_log_in_a_folder_that_may_not_be_written_is_read(run: Path, mode: str) -> None:
    """mode: of the closed file; WAL when somebody read it while it was closed, and then let go."""
    with contextlib.closing(sqlite3.connect(run / DATABASE)) as connection:
        assert connection.execute(f"PRAGMA journal_mode = {mode}").fetchone() == (mode.lower(),)
    command = [sys.executable, "-m", "linewatch", "audit", "verify", str(run)]
    if os.geteuid() == 0:  # who may write anywhere
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv to be as weak as others")
        command = ["setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override", *command]
    run.chmod(0o555)
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    run.chmod(0o755)
    assert (done.returncode, done.stderr) == (0, "")
    assert "whole, 9 decisions of run run, bottle-sim" in done.stdout
    assert sorted(path.name for path in run.glob("decisions*")) == [DATABASE, TIP]


def test_both_kinds_of_log_yield_the_same_lines(tmp_path: Path, make_record: Make) -> None:
    for name, open_log in (("lines", JsonLog), ("rows", partial(ChainedLog, station="s"))):
        folder = RunFolder(tmp_path / name, open_log=open_log)
        for seq in (2, 1, 3):
            folder.record(make_record(seq, label="Blase äöü \x00"), None)
        folder.close()
    lines, rows = (list(read_texts(tmp_path / name)) for name in ("lines/decisions.jsonl", f"rows/{DATABASE}"))
    assert lines == rows
    assert list(read_decisions(tmp_path / "lines")) == list(read_decisions(tmp_path / f"rows/{DATABASE}"))
    with pytest.raises(LinewatchError, match="has no chain to verify"):
        verify(tmp_path / "lines")
