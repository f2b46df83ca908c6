"""The signed report of a challenge: one JSON file, whose signature covers every word of the report."""

from pathlib import Path
from typing import Literal

import msgspec

from linewatch.challenge.judging import Outcome, Result
from linewatch.core.errors import CheckFailed, KeysError, StorageError
from linewatch.core.keyfiles import PUBLIC, read_public, read_secret
from linewatch.core.signatures import is_signed, sign
from linewatch.pictures.write import write_whole

_SIGNED_AS = b"linewatch challenge 1\n"  # so that no signature over anything else can be taken for one over a report


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """how: line, parts went through a running line; feed, pictures went through a replay. began, ended: ISO 8601, UTC.

    sha256: of the model's weights as its card says, of the station file, of the set. others: parts decided meanwhile
    that are not of the set. problems: why the results prove nothing. succeeded: every part was caught, and no problem.
    """

    v: Literal[1]
    how: Literal["line", "feed"]
    operator: str
    station: str
    recipe: str
    model: str
    model_sha256: str
    station_sha256: str
    set_name: str
    set_sha256: str
    order: Literal["given", "any"]
    traffic: Literal["none", "production"]
    class_must_match: bool
    began: str
    ended: str
    results: tuple[Result, ...]
    others: int
    problems: tuple[str, ...]
    succeeded: bool

    @property
    def verdict(self) -> str:
        """One line for people."""
        missed = sum(result.outcome is not Outcome.CAUGHT for result in self.results)
        if missed:
            return f"{missed} of {len(self.results)} known-bad parts were not caught"
        if self.problems:
            return f"proves nothing: {'; '.join(self.problems)}"
        return f"all {len(self.results)} known-bad parts were caught"


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """signer: name of the key. value: 128 hex digits, over the report's compact JSON behind the line _SIGNED_AS."""

    algorithm: Literal["ed25519"]
    signer: str
    value: str


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds."""

    report: Report
    signature: Signature


def succeeded(results: tuple[Result, ...], problems: tuple[str, ...]) -> bool:
    """Whether every part was caught, and nothing is in doubt."""
    return not problems and all(result.outcome is Outcome.CAUGHT for result in results)


def signed(report: Report, key: Path) -> Signed:
    """The report with the signature of NAME.key. Raises KeysError, also when others can read the key."""
    return Signed(report, Signature("ed25519", key.stem, sign(_words(report), read_secret(key)).hex()))


def text_of(report: Signed) -> bytes:
    """The file's bytes; how they are indented does not matter to the signature."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def write_signed(report: Signed, path: Path) -> None:
    """Write the JSON file at once. Raises StorageError."""
    write_whole(path, text_of(report))


def verified(path: Path, signer: Path | None, keys: Path) -> Signed:
    """The report at `path`, when its signature is good. signer: NAME.pub; else the report's signer in folder `keys`.

    The key is never taken from the report itself. Raises StorageError, KeysError, and CheckFailed when the file is no
    report, or was changed after it was signed, or was signed by another key.
    """
    report = _read(path)
    name = report.signature.signer
    public = signer or keys / f"{Path(name).name}{PUBLIC}"
    if signer is None and not public.is_file():
        raise KeysError(public, f"is not there: the public key of signer {name!r} is needed to verify; see --signer")
    try:
        value = bytes.fromhex(report.signature.value)
    except ValueError:
        value = b""
    if not is_signed(_words(report.report), value, read_public(public)):
        raise CheckFailed(path, f"the signature is not good: it was changed, or {public} did not sign it")
    return report


def _read(path: Path) -> Signed:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Signed)
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise CheckFailed(path, f"is no signed challenge report of version 1: {exc}") from exc


def _words(report: Report) -> bytes:
    return _SIGNED_AS + msgspec.json.encode(report)
