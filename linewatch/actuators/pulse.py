"""How long the rejecter blows for one part."""


class Pulse:
    """On for `length_ms` from each blow; blows that overlap are one longer pulse. No clock of its own."""

    def __init__(self, length_ms: float) -> None:
        self._length_ns = round(length_ms * 1e6)
        self._until_ns = 0

    def blow(self, now_ns: int) -> None:
        """A part is to be blown off now."""
        self._until_ns = now_ns + self._length_ns

    def on(self, now_ns: int) -> bool:
        """Whether it blows."""
        return now_ns < self._until_ns

    def ends_ns(self, now_ns: int) -> int | None:
        """When the pulse that is on ends."""
        return self._until_ns if self.on(now_ns) else None
