"""Why nothing is known of a station."""

from dataclasses import dataclass

UNREACHABLE = "UNREACHABLE"
WRONG_ADDRESS = "WRONG ADDRESS"
NONSENSE = "NONSENSE"
OTHER_VERSION = "OTHER VERSION"


@dataclass(frozen=True)
class Trouble(Exception):
    """word: for three metres. detail: for whoever steps closer."""

    word: str
    detail: str
