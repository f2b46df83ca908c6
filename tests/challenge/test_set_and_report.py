"""The set of known-bad parts as a file, and the signed report: what is refused, and what cannot be changed unseen."""

import json
from pathlib import Path

import pytest

from linewatch.challenge.judging import Outcome, Result
from linewatch.challenge.parts import check_classes, load_set
from linewatch.challenge.report import Report, signed, succeeded, verified, write_signed
from linewatch.core.errors import ChallengeError, CheckFailed, KeysError, StorageError
from linewatch.core.keyring import Keyring
from linewatch.core.signatures import new_signing_pair

CAUGHT = Result("crack-01", 1, 1, ("crack",), Outcome.CAUGHT, None, "")
REPORT = Report(
    v=1, how="line", operator="A. Meyer", station="t", recipe="r", model="m", model_sha256="0", station_sha256="1",
    set_name="s", set_sha256="2", order="any", traffic="none", class_must_match=False, began="2026-11-23T06:00:00",
    ended="2026-11-23T06:01:00", results=(CAUGHT,), others=0, problems=(), succeeded=True,
)  # fmt: skip


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A folder with the signing keys of `challenge` and of `somebody`."""
    for name in ("challenge", "somebody"):
        Keyring(tmp_path / "keys").add(name, *new_signing_pair())
    return tmp_path / "keys"


@pytest.fixture
def path(tmp_path: Path, keys: Path) -> Path:
    write_signed(signed(REPORT, keys / "challenge.key"), tmp_path / "report.json")
    return tmp_path / "report.json"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: s\nparts: []", "parts: .*at least 1"),
        ("name: s\nparts: [{name: a}, {name: a}]", "two parts are called 'a'"),
        ("name: s\nparts: [{name: a, expct: [crack]}]", r"parts\.0\.expct: .*unknown key"),
        ("name: s\nparts: [{name: a, times: 0}]", r"parts\.0\.times: 0: "),
        ("name: s\nparts: [{name: a, times: 100}, {name: b, times: 100}, {name: c}]", "201 passages are more than"),
        ("name: s\nparts: [{name: ../a}]", r"parts\.0\.name: '\.\./a'"),
        ("name: s\nwindow_s: .inf\nparts: [{name: a}]", "window_s"),
        ("name: s\ntraffic: production\nparts: [{name: a}]", "'a' needs `expect`"),
        ("- a\n- b", "'list': must be a YAML mapping"),
        ("name: [", "is not YAML"),
        ("name: 2026-99-99\nparts: [{name: a}]", "is not YAML"),
    ],
)
def test_a_wrong_set_is_named_by_file_key_and_value(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "set.yaml"
    path.write_text(text)
    with pytest.raises(ChallengeError, match=said) as refused:
        load_set(path)
    assert str(refused.value).startswith(str(path))


def test_a_class_that_the_model_does_not_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "set.yaml"
    path.write_text("name: s\nparts: [{name: a, expect: [crak]}]")
    with pytest.raises(ChallengeError, match="a: 'crak': is no class of the model: crack, stone"):
        check_classes(load_set(path), ("crack", "stone"), path)
    with pytest.raises(ChallengeError, match="No such file"):
        load_set(tmp_path / "none.yaml")


def test_a_report_is_verified_by_a_key_that_it_does_not_bring(path: Path, keys: Path) -> None:
    assert verified(path, None, keys).report == REPORT
    assert verified(path, keys / "challenge.pub", Path("nowhere")).report == REPORT
    path.write_text(json.dumps(json.loads(path.read_text())))  # how it is indented does not count
    assert verified(path, None, keys).report == REPORT
    with pytest.raises(CheckFailed, match="did not sign it"):
        verified(path, keys / "somebody.pub", keys)
    (keys / "challenge.pub").unlink()
    with pytest.raises(KeysError, match="public key of signer 'challenge' is needed"):
        verified(path, None, keys)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"A. Meyer"', '"A. Maier"'), ('"caught"', '"passed"'), ('"succeeded": true', '"succeeded": false'),
        ('"crack-01"', '"crack-02"'), ("06:01", "06:02"), ('"signer": "challenge"', '"signer": "somebody"'),
        ('"value": "', '"value": "00'), ('"value": "', '"value": "no hex '),
    ],
)  # fmt: skip
def test_whatever_is_changed_spoils_the_signature(path: Path, keys: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(CheckFailed, match="the signature is not good"):
        verified(path, None, keys)


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, '{"report": {"v": 2}}', "\udcff"])
def test_what_is_no_report_is_said(tmp_path: Path, keys: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CheckFailed, match="is no signed challenge report"):
        verified(path, None, keys)
    with pytest.raises(StorageError, match="No such file"):
        verified(tmp_path / "none.json", None, keys)


def test_a_signer_s_name_leads_to_no_other_folder(path: Path, tmp_path: Path, keys: Path) -> None:
    Keyring(tmp_path / "evil").add("challenge", *new_signing_pair())
    forged = json.loads(path.read_text())
    forged["signature"]["signer"] = "../evil/challenge"
    path.write_text(json.dumps(forged))
    assert verified(path, None, keys).report == REPORT  # by the key in `keys`, whatever path the report names


def test_a_key_that_others_can_read_signs_nothing(keys: Path) -> None:
    (keys / "challenge.key").chmod(0o644)
    with pytest.raises(KeysError, match="others can read this secret"):
        signed(REPORT, keys / "challenge.key")


def test_one_miss_or_one_problem_is_enough() -> None:
    missed = Result("b", 1, 1, (), Outcome.IN_DOUBT, None, "")
    assert succeeded((CAUGHT,), ())
    assert not succeeded((CAUGHT, missed), ())
    assert not succeeded((CAUGHT,), ("the line began another run",))
