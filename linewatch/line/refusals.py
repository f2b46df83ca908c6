"""Failed handshakes: all counted, and told at most once a second of each kind, so that nobody can flood the line."""

from dataclasses import dataclass

from linewatch.core.messages import Note

TELL_NS = 1_000_000_000


@dataclass
class _Kind:
    text: str = ""
    untold: int = 0
    told_ns: int | None = None


class Refusals:
    """count: of all so far."""

    def __init__(self) -> None:
        self.count = 0
        self._kinds: dict[str, _Kind] = {}

    def add(self, kind: str, text: str) -> None:
        """One more failure. kind: of a closed set. text: what there is to say of this one."""
        found = self._kinds.setdefault(kind, _Kind())
        found.text = text
        found.untold += 1
        self.count += 1

    def notes(self, now_ns: int) -> list[Note]:
        """What is to be told now, the latest of each kind."""
        notes = []
        for kind in self._kinds.values():
            if kind.untold and (kind.told_ns is None or now_ns - kind.told_ns >= TELL_NS):
                more = f" (and {kind.untold - 1} more like it)" if kind.untold > 1 else ""
                notes.append(Note("handshake_refused", f"{kind.text}{more}; {self.count} refused in this run"))
                kind.untold, kind.told_ns = 0, now_ns
        return notes
