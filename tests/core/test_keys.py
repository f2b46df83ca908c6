"""Keys on disk: secrets stay secret, and nobody gets in by a file that others could have put there."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zmq.utils import z85

from linewatch.core.curve import ClientKeys, new_pair, public_of
from linewatch.core.errors import KeysError, LinewatchError, UsageError
from linewatch.core.keyfiles import key_bytes, key_text, read_public, read_secret
from linewatch.core.keyring import MOST_CLIENTS, Keyring, read_allowed


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    ring = Keyring(tmp_path / "keys")
    ring.add("server", *new_pair())
    return ring


@given(st.binary(min_size=32, max_size=32))
def test_keys_are_written_as_libzmq_writes_them(key: bytes) -> None:
    assert key_text(key) == z85.encode(key).decode()
    assert key_bytes(key_text(key)) == key


@given(
    st.one_of(st.text(max_size=39), st.text(min_size=41, max_size=60), st.text(alphabet="#$", min_size=40, max_size=40))
)
def test_what_is_no_key_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="is no key"):
        key_bytes(text)


def test_a_new_pair_is_private_and_belongs_together(ring: Keyring) -> None:
    secret, public = ring.add("rejecter-1", *new_pair())
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700
    assert public_of(read_secret(secret)) == read_public(public)
    assert ring.server_secret() == read_secret(ring.folder / "server.key")


def test_a_pair_is_never_overwritten(ring: Keyring) -> None:
    before = (ring.folder / "server.key").read_text()
    for gone in (None, "server.pub", "server.key"):
        if gone:
            (ring.folder / gone).rename(ring.folder / "aside")
        with pytest.raises(UsageError, match="never overwritten"):
            ring.add("server", *new_pair())
        if gone:
            (ring.folder / "aside").rename(ring.folder / gone)
    assert (ring.folder / "server.key").read_text() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o777])
def test_a_secret_that_others_can_reach_is_refused(ring: Keyring, mode: int) -> None:
    path = ring.folder / "server.key"
    path.chmod(mode)
    with pytest.raises(KeysError) as error:
        ring.server_secret()
    assert str(error.value).startswith(f"{path}: '{mode:04o}': others can read this secret; chmod 600 {path}")
    assert path.read_text().strip() not in str(error.value)
    assert error.value.exit_code == 3


def test_folders_that_others_can_write_are_refused(ring: Keyring) -> None:
    ring.allow(ring.add("a", *new_pair())[1])
    ring.allowed_folder.chmod(0o777)
    allowed, (wrong,) = read_allowed(ring.allowed_folder)
    assert allowed == {}
    assert "'0777': others can put keys into this folder" in str(wrong)
    ring.folder.chmod(0o720)
    with pytest.raises(KeysError, match="others can put keys"):
        ring.server_secret()


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 41, b"\xff" * 40, b"x" * 5000, b"~" * 40, b"#" * 40])
def test_a_damaged_key_is_named_without_its_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(content)
    path.chmod(0o600)
    for read in (read_public, read_secret):
        with pytest.raises(KeysError) as error:
            read(path)
        assert str(error.value).startswith(f"{path}: is no key: ")


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    for path, said in ((tmp_path, "is no file|Is a directory"), (tmp_path / "none", "No such file")):
        with pytest.raises(KeysError, match=said):
            read_secret(path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(KeysError, match="is no file"):
        read_public(tmp_path / "pipe")


def test_allow_and_revoke(ring: Keyring, tmp_path: Path) -> None:
    _, public = ring.add("rejecter-1", *new_pair())
    assert ring.allow(public) == "rejecter-1"
    key = key_bytes(read_public(public))
    assert read_allowed(ring.allowed_folder) == ({key: "rejecter-1"}, [])
    other_name = tmp_path / "again.pub"
    other_name.write_text(public.read_text())
    for wrong, said in (
        (public, "is there already"),
        (other_name, "this key is allowed already, as rejecter-1"),
        (ring.folder / "rejecter-1.key", "must be a public key"),
        (ring.folder / "server.pub", "the line itself is no client"),
    ):
        with pytest.raises(UsageError, match=said):
            ring.allow(wrong)
    assert set(ring.public_keys()) == {"rejecter-1", "server"}
    ring.revoke("rejecter-1")
    assert read_allowed(ring.allowed_folder) == ({}, [])
    with pytest.raises(UsageError, match="rejecter-1 is not allowed anyway"):
        ring.revoke("rejecter-1")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "a b", "x" * 33, "-x", ".hidden", "ä"])
def test_names_cannot_lead_elsewhere(ring: Keyring, name: str) -> None:
    with pytest.raises(UsageError, match="name: "):
        ring.add(name, *new_pair())
    with pytest.raises(UsageError, match="name: "):
        ring.revoke(name)


def test_one_bad_file_keeps_nobody_else_out_and_is_named(ring: Keyring) -> None:
    ring.allow(ring.add("a", *new_pair())[1])
    (ring.allowed_folder / "b.pub").write_text("nonsense")
    (ring.allowed_folder / "c d.pub").write_text((ring.folder / "a.pub").read_text())
    (ring.allowed_folder / "README").write_text("no key, and none of our business")
    allowed, wrong = read_allowed(ring.allowed_folder)
    assert list(allowed.values()) == ["a"]
    assert [error.where.rpartition("/")[2] for error in wrong] == ["b.pub", "c d.pub"]


def test_too_many_clients_are_named(ring: Keyring) -> None:
    for number in range(MOST_CLIENTS + 1):
        (ring.allowed_folder / f"c{number:03}.pub").write_text(key_text(number.to_bytes(32, "big")))
    allowed, (wrong,) = read_allowed(ring.allowed_folder)
    assert len(allowed) == MOST_CLIENTS
    assert f"{MOST_CLIENTS + 1}: at most {MOST_CLIENTS}" in str(wrong)


def test_a_secret_is_not_shown(ring: Keyring) -> None:
    keys = ClientKeys.read(ring.folder / "server.pub", ring.folder / "server.key")
    assert keys.secret not in repr(keys)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LinewatchError, match="file"):
        Keyring(tmp_path / "file" / "keys").add("server", *new_pair())
