"""The challenge without hands: real pictures through a real replay, whose detector sees bright pixels."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from linewatch.challenge.report import Report, verified
from linewatch.challenge.run import Order, challenge
from linewatch.core.errors import ChallengeError, KeysError, ModelError, StorageError, UsageError
from linewatch.core.keyring import Keyring
from linewatch.core.signatures import new_signing_pair
from linewatch.pictures.write import write_png

SPOT_REPLAY = Path(__file__).parents[1] / "replay" / "spot_replay.py"
STATION = {
    "name": "tiny",
    "gate": {"kind": "framed", "port": "unused"},
    "camera": {"kind": "folder", "path": "unused", "width": 48, "height": 32},
    "detector": {"model": "model"},
    "acceptance": [{"class": "*", "min_score": 0.5}],
    "line": {"deadline_ms": 100, "min_gap_ms": 25},
    "rejecter": {"transport_ms": 1000},
}
SPOT = {"name": "spot-01", "expect": ["spot"]}
Feed = Callable[..., Report]


def write(path: Path, *, spot: bool = True, first: int = 100) -> None:
    picture = np.full((32, 48), 100, np.uint8)
    picture[0, 0] = first
    if spot:
        picture[20, 30] = 255
    path.parent.mkdir(exist_ok=True)
    write_png(path, picture)


@pytest.fixture
def detector() -> Any:
    spec = importlib.util.spec_from_file_location("spot_replay", SPOT_REPLAY)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Spots()


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A station with a model card, a signing key, and a folder `bad` of pictures: one bad, one good, one not whole."""
    (tmp_path / "station.yaml").write_text(yaml.safe_dump(STATION))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.yaml").write_text("sha256: abc\nclasses: [spot, crack]\n")
    Keyring(tmp_path / "keys" / "signing").add("challenge", *new_signing_pair())
    write(tmp_path / "bad" / "spot-01.png")
    write(tmp_path / "bad" / "blind_1.png", spot=False)
    write(tmp_path / "bad" / "broken.png", first=13)
    return tmp_path


@pytest.fixture
def feed(site: Path, detector: Any) -> Feed:
    def play(*parts: dict[str, Any], output: str = "out/report.json", **settings: Any) -> Report:
        (site / "set.yaml").write_text(yaml.safe_dump({"name": "s", "parts": list(parts), **settings}))
        order = Order(site / "station.yaml", site / "set.yaml", "ci", site / output, feed=site / "bad")
        signed, files = challenge(order, print, detector=detector)
        assert verified(files[0], None, site / "keys" / "signing") == signed
        return signed.report

    return play


def test_pictures_are_judged_as_parts_are(feed: Feed, site: Path) -> None:
    blind, broken = {"name": "blind", "expect": ["spot"]}, {"name": "broken"}
    report = feed(blind, SPOT, broken)
    assert [one.outcome.value for one in report.results] == ["passed", "caught", "in_doubt"]
    assert [one.seen.picture for one in report.results if one.seen] == ["blind_1.png", "spot-01.png", "broken.png"]
    assert (report.how, report.succeeded) == ("feed", False)
    page = (site / "out" / "report.html").read_text()
    assert page.count('<img src="data:image/jpeg') == 3
    assert "2 of 3 known-bad parts were not caught" in page
    assert (site / "out" / "report" / "summary.json").is_file()


def test_a_class_may_have_to_match(feed: Feed) -> None:
    crack = {"name": "spot-01", "expect": ["crack"]}
    assert feed(crack).succeeded
    report = feed(crack, output="again.json", class_must_match=True)
    assert [one.outcome.value for one in report.results] == ["wrong_class"]


def test_as_many_pictures_as_passages(feed: Feed, site: Path) -> None:
    write(site / "bad" / "spot-01_2.png")
    with pytest.raises(ChallengeError, match=r"part spot-01 wants 1 pictures \(spot-01\.\*, .*, and 2 are there"):
        feed(SPOT)
    assert feed({**SPOT, "times": 2}).succeeded
    assert feed({**SPOT, "pictures": ["*-01_2.png"]}, output="again.json").succeeded
    with pytest.raises(ChallengeError, match=r"'spot-01\.png': is a picture of two parts, a and b"):
        feed({"name": "a", "pictures": ["spot-01.png"]}, {"name": "b", "pictures": ["spot-01.*"]}, output="x.json")


def test_what_keeps_it_from_starting_is_said_before_anything_is_written(feed: Feed, site: Path) -> None:
    with pytest.raises(ChallengeError, match="'dirt': is no class of the model: spot, crack"):
        feed({"name": "a", "expect": ["dirt"]})
    with pytest.raises(UsageError, match=r"x\.html': must be a JSON file"):
        feed(SPOT, output="x.html")
    (site / "older.json").write_text("older")
    with pytest.raises(StorageError, match="reports are never overwritten"):
        feed(SPOT, output="older.json")
    assert not (site / "out").exists()
    assert (site / "older.json").read_text() == "older"


def test_keys_card_and_operator_come_first(feed: Feed, site: Path, detector: Any) -> None:
    (site / "set.yaml").write_text(yaml.safe_dump({"name": "s", "parts": [SPOT]}))
    with pytest.raises(UsageError, match="--operator"):
        challenge(Order(site / "station.yaml", site / "set.yaml", " "), print, detector=detector)
    (site / "keys" / "signing" / "challenge.key").chmod(0o640)
    with pytest.raises(KeysError, match="others can read this secret"):
        feed(SPOT)
    (site / "keys" / "signing" / "challenge.key").unlink()
    with pytest.raises(KeysError, match=r"challenge\.key: is not there.*linewatch keys signing challenge --folder"):
        feed(SPOT)
    (site / "model" / "model.yaml").write_text("classes: [spot]")
    with pytest.raises(ModelError, match="does not say which model it is"):
        feed(SPOT)
    assert not (site / "out").exists()
