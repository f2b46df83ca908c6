"""The shell blocks of a Markdown page, and how each is to be tried."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Mode = Literal["quick", "slow", "serves", "not run"]
_BLOCK = re.compile(r"(?:^<!-- *(?P<mark>[^\n]*?) *-->\n+)?^```(?P<kind>sh|console)\n(?P<text>.*?)^```", re.M | re.S)
_MARK = re.compile(r"(slow|serves)|not run: \S.*")


@dataclass(frozen=True)
class Block:
    """Some commands that belong together. line: of the page, where they begin."""

    page: Path
    line: int
    mode: Mode
    script: str

    @property
    def where(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """The shell blocks of `page`, in order. Raises ValueError for a comment above one that is no mark."""
    text = page.read_text(encoding="utf-8")
    return [_block(page, text, found) for found in _BLOCK.finditer(text)]


def _block(page: Path, text: str, found: re.Match[str]) -> Block:
    line = text.count("\n", 0, found.start("text")) + 1
    script = found["text"] if found["kind"] == "sh" else _typed(found["text"])
    mark = found["mark"]
    if mark is None:
        return Block(page, line, "quick", script)
    known = _MARK.fullmatch(mark)
    if known is None:
        raise ValueError(f"{page.name}:{line}: `{mark}` is not slow, serves or not run: REASON")
    mode: Mode = "slow" if known[1] == "slow" else "serves" if known[1] == "serves" else "not run"
    return Block(page, line, mode, script)


def _typed(text: str) -> str:
    """What a person typed in a console block: the lines after `$ `."""
    return "".join(f"{line[2:]}\n" for line in text.splitlines() if line.startswith("$ "))
