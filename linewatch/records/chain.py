"""The running line's decision log, decisions.sqlite: its schema, and the hashes that chain its rows.

docs/audit.md is the description for people; the two must agree, which a test checks. Every column that people query is
computed from the line: one that says something else than the hashed line cannot exist.
"""

import hashlib
import hmac
from collections.abc import Callable
from functools import partial

import msgspec

DATABASE = "decisions.sqlite"
APPLICATION_ID = 0x4C57444C  # "LWDL", in the file's header
SCHEMA_VERSION = 1
NO_HASH = "0" * 64  # what the first row follows
PLAIN, KEYED = "sha256", "hmac-sha256"

Link = Callable[[str, bytes], str]

SCHEMA = (
    """CREATE TABLE lines (
  number INTEGER PRIMARY KEY,
  line TEXT NOT NULL,
  hash TEXT NOT NULL
)""",
    """CREATE UNIQUE INDEX seqs ON lines (json_extract(line, '$.seq'))""",
    """CREATE VIEW decisions AS SELECT
  number,
  (SELECT json_extract(line, '$.station') FROM lines WHERE number = 0) AS station,
  (SELECT json_extract(line, '$.run') FROM lines WHERE number = 0) AS run,
  json_extract(line, '$.seq') AS seq,
  json_extract(line, '$.times.wall') AS time,
  json_extract(line, '$.verdict') AS verdict,
  json_extract(line, '$.cause') AS cause,
  json_extract(line, '$.reason') AS reason,
  json_extract(line, '$.class') AS class,
  json_extract(line, '$.score') AS score,
  (SELECT group_concat(DISTINCT json_extract(value, '$.class')) FROM json_each(line, '$.detections')
    WHERE json_extract(value, '$.effect') IN ('reject', 'warn')) AS classes,
  json_extract(line, '$.counter') AS counter,
  json_extract(line, '$.source') AS source,
  json_extract(line, '$.picture') AS picture,
  json_extract(line, '$.frame') AS frame,
  line,
  hash
FROM lines WHERE number > 0""",
    """CREATE VIEW detections AS SELECT
  decisions.run,
  decisions.seq,
  decisions.time,
  decisions.verdict,
  json_extract(value, '$.class') AS class,
  json_extract(value, '$.score') AS score,
  json_extract(value, '$.effect') AS effect,
  json_extract(value, '$.x') AS x,
  json_extract(value, '$.y') AS y,
  json_extract(value, '$.width') AS width,
  json_extract(value, '$.height') AS height
FROM decisions, json_each(decisions.line, '$.detections')""",
)


class Header(msgspec.Struct, frozen=True):
    """Row 0: whose log this is. began: ISO 8601 in UTC. hash: PLAIN or KEYED."""

    schema: int
    station: str
    run: str
    began: str
    hash: str


def link_by(key: str | None) -> Link:
    """How rows are chained: from the hash of the row before and a line to the hash of the line's row, lower-case hex.

    key: keys the hash, so that nobody without it can chain anew what he changed.
    """
    return _plain if key is None else partial(_keyed, key.encode())


def _plain(previous: str, line: bytes) -> str:
    return hashlib.sha256(previous.encode() + line).hexdigest()


def _keyed(key: bytes, previous: str, line: bytes) -> str:
    return hmac.digest(key, previous.encode() + line, "sha256").hex()
