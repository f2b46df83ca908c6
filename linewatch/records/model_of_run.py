"""Which model inspected a run, as far as its folder tells."""

from pathlib import Path

import msgspec

from linewatch.core.errors import StorageError
from linewatch.core.jsonlines import read_lines
from linewatch.records.run_folder import EVENTS
from linewatch.records.summary import SUMMARY

_SAID_BY = "inspector: "


class _Event(msgspec.Struct):
    kind: str
    text: str


class _Summary(msgspec.Struct):
    model: str = ""


def model_of(run: Path) -> str:
    """Name and digest, as the inspector said them when it was ready, or the summary of a replay; "" when neither did.

    Several, with commas, when a restart exchanged the model. Raises StorageError when a file is damaged.
    """
    return ", ".join(dict.fromkeys(_said(run / EVENTS))) or _of_replay(run / SUMMARY)


def _said(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        events = [msgspec.json.decode(line, type=_Event) for _, line in read_lines(path)]
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise StorageError(path, f"holds a line that is no event: {exc}") from exc
    ready = [event.text for event in events if event.kind == "child_ready"]
    return [text.removeprefix(_SAID_BY) for text in ready if text.startswith(_SAID_BY)]


def _of_replay(path: Path) -> str:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Summary).model
    except FileNotFoundError:
        return ""
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise StorageError(path, f"is no summary: {exc}") from exc
