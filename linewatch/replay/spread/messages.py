"""What travels between the replay and its workers: MessagePack of these, and never a picture."""

from typing import TypeVar

import msgspec

from linewatch.core.messages import Cause, Inspection


class Brief(msgspec.Struct, frozen=True, tag=True):
    """What a worker needs to begin. station: as JSON, paths absolute. folder: of the recording."""

    station: str
    folder: str


class Introduced(msgspec.Struct, frozen=True, tag=True):
    """A worker has looked around. host: where it runs. edition: what it has there, see edition.py."""

    host: str
    edition: dict[str, str]


class Opened(msgspec.Struct, frozen=True, tag=True):
    """A worker is warm. name: of its detector."""

    host: str
    name: str
    largest_batch: int


class Sent(msgspec.Struct, frozen=True):
    """One recorded trigger. path: of its picture, none when no picture came, for `reason`. size: of the file, bytes."""

    path: str | None
    source: str
    reason: str
    size: int


class Chunk(msgspec.Struct, frozen=True, tag=True):
    """Parts to be inspected one after the other; the first is number `first` of the replay."""

    first: int
    parts: tuple[Sent, ...]


class Seen(msgspec.Struct, frozen=True):
    """The inspection of one part. cause, reason: why it has no picture that can be trusted; none when it has one."""

    inspection: Inspection
    cause: Cause | None = None
    reason: str = ""


class Answer(msgspec.Struct, frozen=True, tag=True):
    """What was seen, in the order of the chunk."""

    seen: tuple[Seen, ...]


class Refused(msgspec.Struct, frozen=True, tag=True):
    """An error of ours, by its class in core/errors.py: errors cannot be pickled without their arguments."""

    host: str
    kind: str
    where: str
    reason: str
    value: str | int | float | bool | None


FromWorker = Introduced | Opened | Answer | Refused
T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


def pack(message: Brief | Chunk | FromWorker) -> bytes:
    return _encoder.encode(message)


def from_worker(data: bytes) -> FromWorker:
    return _from_worker.decode(data)


def to_worker(data: bytes, kind: type[T]) -> T:
    return msgspec.msgpack.decode(data, type=kind)
