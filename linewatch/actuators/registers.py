"""What a PLC sees: the register map, version 1, documented for PLC engineers in docs/plc.md."""

from collections.abc import Sequence

from linewatch.actuators.output import State

VERSION = 1
COILS = ("reject", "trusted")  # at base, base + 1
# Holding registers at base + offset, each with its width in bits; 32 bits: high word first.
REGISTERS = {
    "heartbeat": (0, 16),
    "state": (1, 16),
    "version": (2, 16),
    "seq": (4, 32),
    "passes": (6, 32),
    "rejects": (8, 32),
    "missed": (10, 32),
    "unconfirmed": (12, 32),
}
EJECTED = 14  # offset of the holding register that the PLC counts up; 16 bits
LENGTH = max(offset + bits // 16 for offset, bits in REGISTERS.values())
TRUSTED_BIT, REJECT_BIT = 1, 2  # of `state`


def coils(state: State) -> list[bool]:
    """The coils from base on."""
    return [state.reject, state.trusted]


def registers(state: State, heartbeat: int) -> list[int]:
    """The holding registers from base on, 0 .. 65535 each; what is larger than its width wraps."""
    values = {
        "heartbeat": heartbeat,
        "state": TRUSTED_BIT * state.trusted | REJECT_BIT * state.reject,
        "version": VERSION,
        "seq": state.seq,
        "passes": state.passes,
        "rejects": state.rejects,
        "missed": state.missed,
        "unconfirmed": state.unconfirmed,
    }
    words = [0] * LENGTH
    for name, (offset, bits) in REGISTERS.items():
        words[offset : offset + bits // 16] = _words(values[name], bits)
    return words


def _words(value: int, bits: int) -> Sequence[int]:
    return [value >> shift & 0xFFFF for shift in range(bits - 16, -1, -16)]
