"""Which clients may connect: the folder `allowed/`, read again whenever it has changed."""

import os
from pathlib import Path

from linewatch.core.keyring import Allowed, read_allowed

_Seen = tuple[tuple[str, int, int, int], ...]


class AllowList:
    """Keys by their 32 bytes. wrong: what was refused at the last reading."""

    def __init__(self, folder: Path) -> None:
        """Reads `folder`. Raises KeysError at the first thing that is wrong in it."""
        self._folder = folder
        self._seen = self._look()
        self._allowed, self.wrong = read_allowed(folder)
        if self.wrong:
            raise self.wrong[0]

    def __len__(self) -> int:
        return len(self._allowed)

    def name_of(self, key: bytes) -> str | None:
        """Whose key this is, none when it is not allowed."""
        return self._allowed.get(key)

    def refresh(self) -> Allowed | None:
        """Read again if the folder has changed; then who is revoked, else none."""
        seen = self._look()
        if seen == self._seen:
            return None
        before, self._seen = self._allowed, seen
        self._allowed, self.wrong = read_allowed(self._folder)
        return {key: name for key, name in before.items() if key not in self._allowed}

    def _look(self) -> _Seen:
        """What tells one state of the folder from another, without reading a key."""
        try:
            with os.scandir(self._folder) as entries:
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError:
            return ()
        return tuple(sorted((name, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in found))
