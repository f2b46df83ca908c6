"""When the rejecter rejected everything: the last line of defence of a part that nobody decided."""

import json
from pathlib import Path


class RejecterBook:
    """Reads the rejecter's log as it grows. path: of the log, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        self._changes: list[tuple[int, bool]] = []  # monotonic time, and whether all is rejected from then on

    @property
    def trusts(self) -> bool:
        """Whether the rejecter now acts on decisions, and does not reject everything."""
        self._catch_up()
        return bool(self._changes) and not self._changes[-1][1]

    def rejected_all(self, t_ns: int) -> bool:
        """Whether everything was rejected at the monotonic time `t_ns`; before its first trust all is."""
        self._catch_up()
        before = [rejecting for at_ns, rejecting in self._changes if at_ns <= t_ns]
        return not before or before[-1]

    def _catch_up(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            *lines, torn = file.read().split(b"\n")
            self._read = file.tell() - len(torn)
        for line in lines:
            said = json.loads(line)
            if "seq" not in said:
                self._changes.append((int(said["t_ns"]), said["act"] == "reject_all"))
