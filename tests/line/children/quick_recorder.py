"""A recorder that appends decisions, and notes, to files in the folder given."""

import sys
from pathlib import Path

from linewatch.core.channel import inherited_channel
from linewatch.core.child import Child
from linewatch.core.jsonlines import LineFile
from linewatch.core.messages import Logged, Note, Record


def main() -> int:
    folder = Path(sys.argv[1])
    child = Child("recorder", inherited_channel())
    decisions, notes = LineFile(folder / "decisions.jsonl"), LineFile(folder / "notes.jsonl")
    logged = 0
    child.start("test recorder")
    while not child.stopping:
        for message in child.turn():
            if isinstance(message, Record):
                decisions.append(message)
                logged += 1
                child.channel.send(Logged(logged))
            elif isinstance(message, Note):
                notes.append(message)
    return 0


if __name__ == "__main__":
    sys.exit(main())
