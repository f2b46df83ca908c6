"""A folder of keys: the line's own (`server.key`, `server.pub`), those made here for clients, and `allowed/`, which
holds NAME.pub of every client that may connect.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from linewatch.core.errors import KeysError, StorageError, UsageError
from linewatch.core.keyfiles import (
    PUBLIC,
    SECRET,
    key_bytes,
    read_public,
    read_secret,
    require_private_folder,
    write_public,
    write_secret,
)

SERVER = "server"
ALLOWED = "allowed"
MOST_CLIENTS = 256
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")

Allowed = dict[bytes, str]  # the 32 bytes of a public key: whose it is


class Keyring:
    """The keys in `folder`, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.allowed_folder = folder / ALLOWED

    def add(self, name: str, public: str, secret: str) -> tuple[Path, Path]:
        """Write a pair of keys, and for the line itself make `allowed/`; returns the paths of secret and public key.

        Raises KeysError, UsageError, StorageError.
        """
        _require_name(name)
        _make_private(self.folder)
        secret_path, public_path = self.folder / f"{name}{SECRET}", self.folder / f"{name}{PUBLIC}"
        if public_path.exists():
            raise UsageError(public_path, "is there already; keys are never overwritten")
        write_secret(secret_path, secret)
        write_public(public_path, public)
        if name == SERVER:
            _make_private(self.allowed_folder)
        return secret_path, public_path

    def allow(self, public_path: Path) -> str:
        """Let the owner of this NAME.pub connect; returns the name. Raises KeysError, UsageError, StorageError."""
        if public_path.suffix != PUBLIC:
            raise UsageError("PUB", f"must be a public key, NAME{PUBLIC}", str(public_path))
        name = _require_name(public_path.stem)
        if name == SERVER:
            raise UsageError("PUB", "the line itself is no client", str(public_path))
        public = read_public(public_path)
        _make_private(self.folder)
        _make_private(self.allowed_folder)
        known = read_allowed(self.allowed_folder)[0].get(key_bytes(public), name)
        if known != name:
            raise UsageError(public_path, f"this key is allowed already, as {known}")
        write_public(self.allowed_folder / public_path.name, public)
        return name

    def revoke(self, name: str) -> Path:
        """Let `name` connect no more; returns the file that is gone. Raises UsageError, StorageError."""
        path = self.allowed_folder / f"{_require_name(name)}{PUBLIC}"
        try:
            path.unlink()
        except FileNotFoundError as exc:
            raise UsageError(path, f"{name} is not allowed anyway") from exc
        except OSError as exc:
            raise StorageError(path, exc.strerror or "cannot be removed") from exc
        return path

    def public_keys(self) -> dict[str, str]:
        """All public keys of the folder by name, allowed or not; of a name that is allowed, the key that is allowed.

        Raises KeysError.
        """
        found = [*self.folder.glob(f"*{PUBLIC}"), *self.allowed_folder.glob(f"*{PUBLIC}")]
        return {path.stem: read_public(path) for path in sorted(found, key=lambda path: path.stem)}

    def server_secret(self) -> str:
        """The line's own secret. Raises KeysError, also when others can write into the folder."""
        secret = read_secret(self.folder / f"{SERVER}{SECRET}")
        require_private_folder(self.folder)
        return secret


def read_allowed(folder: Path) -> tuple[Allowed, list[KeysError]]:
    """The clients in the folder `allowed/`, and what is wrong in it; nobody when it cannot be trusted."""
    allowed: Allowed = {}
    wrong: list[KeysError] = []
    try:
        require_private_folder(folder)
        paths = sorted(_public_files(folder))
    except KeysError as exc:
        return {}, [exc]
    if len(paths) > MOST_CLIENTS:
        wrong.append(KeysError(folder, f"at most {MOST_CLIENTS} clients are let in, the first by name", len(paths)))
    for path in paths[:MOST_CLIENTS]:
        try:
            allowed[key_bytes(read_public(path))] = _require_name(path.stem)
        except KeysError as exc:
            wrong.append(exc)
        except UsageError as exc:
            wrong.append(KeysError(path, exc.reason, path.stem))
    return allowed, wrong


def _public_files(folder: Path) -> Iterator[Path]:
    try:
        yield from (path for path in folder.iterdir() if path.suffix == PUBLIC)
    except OSError as exc:
        raise KeysError(folder, exc.strerror or "cannot be read") from exc


def _require_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError("name", "must be 1 to 32 letters, digits, - or _", name)
    return name


def _make_private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise StorageError(folder, exc.strerror or "cannot be made") from exc
    require_private_folder(folder)
