"""Laying the files out below a prefix. A second time changes nothing."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from linewatch.core.errors import StorageError
from linewatch.install.layout import layout

_MODE = 0o644


@dataclass(frozen=True)
class Placed:
    """One file and what became of it."""

    path: Path
    state: Literal["written", "replaced", "unchanged"]


def install(prefix: Path, user: str, manuals: Mapping[str, str] | None = None) -> list[Placed]:
    """Lay out unit, sysusers, tmpfiles and udev rules below `prefix`; nothing is enabled or started.

    manuals: further files, text by place below the prefix.
    Raises UsageError for the user, StorageError for a path that cannot be written.
    """
    texts = {laid.place: laid.text for laid in layout(program(), user)} | dict(manuals or {})
    return [place(prefix / where, text) for where, text in texts.items()]


def program() -> tuple[str, ...]:
    """The command of this installation: the script beside the interpreter, else the interpreter with the module."""
    interpreter = Path(sys.executable)  # not resolved: the link in a virtual environment is what makes it one
    script = interpreter.with_name("linewatch")
    return (str(script),) if script.is_file() else (str(interpreter), "-m", "linewatch")


def next_steps(prefix: Path) -> list[str]:
    """The commands that a person runs now, as root."""
    interpreter = Path(sys.executable).resolve()
    closed = [
        f"# {interpreter} lies where root alone can run it: make .venv with a Python of the system, and install again"
    ]
    staged = [] if prefix == Path("/") else [f"cp -r {prefix}/etc {prefix}/usr /      # it was laid out elsewhere"]
    linked = [f"ln -sf {command} /usr/local/bin/linewatch" for command, *module in [program()] if not module]
    return [
        *(closed if interpreter.is_relative_to("/root") else []),
        *staged,
        *linked,
        "systemd-sysusers && systemd-tmpfiles --create",
        "udevadm control --reload && udevadm trigger",
        "install -o root -m 644 STATION.yaml /var/lib/linewatch/stations/NAME.yaml",
        "linewatch check /var/lib/linewatch/stations/NAME.yaml",
        "systemctl daemon-reload && systemctl enable --now linewatch@NAME",
        "systemctl enable --now linewatch-dashboard@NAME      # the operator page, where one is wanted",
    ]


def place(path: Path, text: str) -> Placed:
    """Write `text` to `path`, whole, unless it stands there already. Raises StorageError."""
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else None
        if before == text:
            return Placed(path, "unchanged")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(_MODE)
        temporary.replace(path)
    except (OSError, UnicodeDecodeError) as exc:
        raise StorageError(path, getattr(exc, "strerror", None) or "cannot be written") from exc
    return Placed(path, "written" if before is None else "replaced")
