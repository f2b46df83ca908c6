"""What lies where: the shipped files of `systemd/`, with this machine's program and the chosen user in them. Pure."""

import re
from dataclasses import dataclass
from pathlib import Path

from linewatch.core.errors import StorageError, UsageError

SHIPPED = Path(__file__).resolve().parents[2] / "systemd"
UNIT = "etc/systemd/system/linewatch@.service"
PAGE_UNIT = "etc/systemd/system/linewatch-dashboard@.service"
_PLACES = {
    "linewatch@.service": UNIT,
    "linewatch-dashboard@.service": PAGE_UNIT,
    "linewatch.sysusers": "etc/sysusers.d/linewatch.conf",
    "linewatch.tmpfiles": "etc/tmpfiles.d/linewatch.conf",
    "linewatch.rules": "etc/udev/rules.d/70-linewatch.rules",
}
_SHIPPED_PROGRAM = "/opt/linewatch/.venv/bin/linewatch"
_SHIPPED_USER = "linewatch"
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_HOMES = ("/home", "/root", "/run/user")


@dataclass(frozen=True)
class Laid:
    """One file. place: below the prefix."""

    place: str
    text: str


def layout(program: tuple[str, ...], user: str, shipped: Path = SHIPPED) -> list[Laid]:
    """The files to lay out.

    program: the command that `run STATION` is put behind, absolute. user: who the daemon runs as.
    Raises UsageError for a user that is no name, StorageError when a shipped file cannot be read.
    """
    if not _USER.fullmatch(user):
        raise UsageError("--user", "must be a user name: a-z, 0-9, _ and -, 31 characters at most", user)
    return [Laid(place, _adapted(_read(shipped / name), name, program, user)) for name, place in _PLACES.items()]


def _adapted(text: str, name: str, program: tuple[str, ...], user: str) -> str:
    match name:
        case "linewatch@.service" | "linewatch-dashboard@.service":
            text = text.replace(_SHIPPED_PROGRAM, " ".join(map(_quoted, program)))
            text = text.replace(f"User={_SHIPPED_USER}\n", f"User={user}\n")
            return text.replace("ProtectHome=yes", "ProtectHome=read-only") if _at_home(program[0]) else text
        case "linewatch.sysusers":
            return re.sub(rf"(?m)^([um]) {_SHIPPED_USER} ", rf"\1 {user} ", text)
        case "linewatch.tmpfiles":
            return text.replace(f" {_SHIPPED_USER} {_SHIPPED_USER}\n", f" {user} {user}\n")
        case _:
            return text


def _quoted(word: str) -> str:
    """As systemd.service(5) reads it: % and $ doubled, and in quotes where there are blanks."""
    word = word.replace("%", "%%").replace("$", "$$").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{word}"' if re.search(r"[\s\"'\\]", word) else word


def _at_home(program: str) -> bool:
    """Whether the program, or the interpreter that it runs in, lies where ProtectHome=yes would hide it."""
    interpreter = Path(program).with_name("python")
    places = (Path(program), Path(program).resolve(), interpreter.resolve())
    return any(place.is_relative_to(home) for place in places for home in _HOMES)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc
