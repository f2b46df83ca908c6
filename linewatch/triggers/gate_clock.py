"""When did the part really break the beam? The gate's own clock tells, where it can be trusted.

A message waits in the serial driver while the host is busy; after a stall of the whole machine several parts would
carry the same host time and the rejecter would blow at the wrong one. The smallest difference between host and gate
time in the last messages is the one with the least waiting, and places every edge.
"""

from collections import deque

WINDOW = 64  # edges; at 50 ppm drift and 20 parts a minute still within 10 ms
TRUST_AFTER = 3  # steps in a row in which both clocks agreed
AGREE_NS = 5_000_000


class GateClock:
    """Places edges on the host's clock. Until the gate's clock has proven itself, the host's own time is used."""

    def __init__(self) -> None:
        self._offsets: deque[int] = deque(maxlen=WINDOW)
        self._agreed = 0
        self._last: tuple[int, int] | None = None  # host ns, gate ns

    def place(self, t_host_ns: int, t_gate_us: int) -> int:
        """The time of an edge read at `t_host_ns` that the gate stamped `t_gate_us`; never later than `t_host_ns`."""
        gate_ns = t_gate_us * 1000
        self._judge(t_host_ns, gate_ns)
        self._last = (t_host_ns, gate_ns)
        self._offsets.append(t_host_ns - gate_ns)
        if self._agreed < TRUST_AFTER:
            return t_host_ns
        return min(self._offsets) + gate_ns

    def _judge(self, t_host_ns: int, gate_ns: int) -> None:
        """Count agreeing steps; a gate clock that stands or runs back, or slips without a stall, starts over."""
        if self._last is None:
            return
        host_step, gate_step = t_host_ns - self._last[0], gate_ns - self._last[1]
        trusted = self._agreed >= TRUST_AFTER
        if gate_step > 0 and abs(host_step - gate_step) <= AGREE_NS:
            self._agreed += 1
        elif gate_step <= 0 or not trusted or self._ran_away(t_host_ns - gate_ns):
            self._agreed = 0
            self._offsets.clear()

    def _ran_away(self, offset_ns: int) -> bool:
        """True when the message seems to have waited longer than any stall a line survives, or came before its time."""
        waited = offset_ns - min(self._offsets)
        return not -AGREE_NS <= waited <= 5_000_000_000
