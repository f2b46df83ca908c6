"""Which decisions of a run have come: in any order, each once."""


class Received:
    """The seqs of one run. up_to: every seq up to this one has come, or will never come."""

    def __init__(self, run: str = "", up_to: int = 0) -> None:
        self.run = run
        self.up_to = up_to
        self._beyond: set[int] = set()

    def add(self, seq: int) -> bool:
        """Take a seq; False when it was here before."""
        if seq <= self.up_to or seq in self._beyond:
            return False
        self._beyond.add(seq)
        self._advance()
        return True

    def skip(self, up_to: int) -> int:
        """Nothing up to `up_to` will come any more; returns how many of those had not come."""
        lost = max(0, up_to - self.up_to - sum(seq <= up_to for seq in self._beyond))
        self.up_to = max(self.up_to, up_to)
        self._beyond = {seq for seq in self._beyond if seq > self.up_to}
        self._advance()
        return lost

    def lacks(self, up_to: int) -> int:
        """How many seqs up to `up_to` have not come."""
        return max(0, up_to - self.up_to - sum(seq <= up_to for seq in self._beyond))

    def _advance(self) -> None:
        while self.up_to + 1 in self._beyond:
            self.up_to += 1
            self._beyond.remove(self.up_to)
