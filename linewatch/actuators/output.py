"""What a rejecter drives: a device that is shown, again and again, what it has to do now."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class State:
    """What the device shall do now, and what has been done so far.

    reject: blow now. trusted: decisions can be trusted; reject is on while they cannot. seq: every decision of the run
    up to this one is here. passes, rejects: parts let go, parts blown off. missed: rejected parts that were not blown
    off, because the decision came too late or the device did not follow. unconfirmed: blown off, and not seen to leave.
    """

    reject: bool = True
    trusted: bool = False
    seq: int = 0
    passes: int = 0
    rejects: int = 0
    missed: int = 0
    unconfirmed: int = 0


class Output(Protocol):
    """One device. trouble: why it does not follow; empty while it does.

    ejected: parts that its sensor has seen leave, modulo 2^16; none while that is not known.
    """

    trouble: str
    ejected: int | None

    def show(self, state: State) -> None:
        """Bring the device to `state`; call it with every turn. Never raises: a device that is gone is `trouble`."""
        ...

    def close(self) -> None:
        """Leave the device rejecting."""
        ...


class NoOutput:
    """No device: a rejecter that only says what it would do."""

    trouble = ""
    ejected: int | None = None

    def show(self, state: State) -> None:
        pass

    def close(self) -> None:
        pass
