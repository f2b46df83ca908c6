"""CURVE keys on disk: NAME.pub and NAME.key, each one line of 40 Z85 characters (ZeroMQ RFC 32), as libzmq takes them.

A secret that others can read is none, and a folder that others can write lets anybody in: both are refused.
"""

import os
import stat
from pathlib import Path

from linewatch.core.errors import KeysError, StorageError, UsageError

PUBLIC = ".pub"
SECRET = ".key"
KEY_CHARACTERS = 40
_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_VALUE = {character: value for value, character in enumerate(_Z85)}
_MOST_BYTES = 256
_GROUP = 5  # characters that stand for four bytes


def read_public(path: Path) -> str:
    """The public key in `path`. Raises KeysError."""
    return _read(path)[0]


def read_secret(path: Path) -> str:
    """The secret key in `path`. Raises KeysError, also when others than its owner can read the file."""
    key, found = _read(path)
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        raise KeysError(path, f"others can read this secret; chmod 600 {path}, or better make new keys", f"{mode:04o}")
    return key


def write_public(path: Path, key: str) -> None:
    """Write a public key into the new file `path`. Raises UsageError when there is one, StorageError."""
    _write(path, key, 0o644)


def write_secret(path: Path, key: str) -> None:
    """Write a secret key into the new file `path`, for its owner alone. Raises UsageError, StorageError."""
    _write(path, key, 0o600)


def require_private_folder(folder: Path) -> None:
    """Raises KeysError unless `folder` is one that only this user and root can write into."""
    try:
        found = folder.stat()
    except OSError as exc:
        raise KeysError(folder, exc.strerror or "cannot be read") from exc
    if not stat.S_ISDIR(found.st_mode):
        raise KeysError(folder, "is no folder")
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o022:
        raise KeysError(folder, f"others can put keys into this folder; chmod 700 {folder}", f"{mode:04o}")
    if found.st_uid not in (os.geteuid(), 0):
        raise KeysError(folder, "belongs to another user, who can put keys into it", f"uid {found.st_uid}")


def key_bytes(key: str) -> bytes:
    """The 32 bytes of a key of 40 Z85 characters. Raises ValueError when it is none."""
    if len(key) != KEY_CHARACTERS or not set(key) <= _VALUE.keys():
        raise ValueError(f"is no key: {KEY_CHARACTERS} characters of Z85 belong here")
    return b"".join(_four_bytes(key[at : at + _GROUP]) for at in range(0, KEY_CHARACTERS, _GROUP))


def key_text(key: bytes) -> str:
    """The 40 characters of a key's 32 bytes."""
    numbers = (int.from_bytes(key[at : at + 4], "big") for at in range(0, len(key), 4))
    return "".join(_Z85[number // 85**place % 85] for number in numbers for place in reversed(range(_GROUP)))


def _four_bytes(group: str) -> bytes:
    number = 0
    for character in group:
        number = number * len(_Z85) + _VALUE[character]
    if number >= 1 << 32:
        raise ValueError("is no key: a group of five characters is out of range")
    return number.to_bytes(4, "big")


def _read(path: Path) -> tuple[str, os.stat_result]:
    """The key in `path`, and what the file is. The key's text never gets into an error: it may be a secret."""
    try:
        # A pipe in place of the file must not hold the line up.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise KeysError(path, "is no file")
            text = file.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise KeysError(path, exc.strerror or "cannot be read") from exc
    key = text.decode("ascii", "replace").strip()
    try:
        key_bytes(key)
    except ValueError as exc:
        raise KeysError(path, str(exc)) from exc
    return key, found


def _write(path: Path, key: str, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(key + "\n")
    except FileExistsError as exc:
        raise UsageError(path, "is there already; keys are never overwritten") from exc
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be written") from exc
