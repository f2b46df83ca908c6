"""`labels export`: which parts, which boxes, and what annotation tools find in the folder."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linewatch.cli import main
from linewatch.core.errors import DatasetError, StorageError, UsageError
from linewatch.core.station import load_station
from linewatch.labels.exporting import export_labels
from linewatch.labels.manifest import MANIFEST, open_export
from linewatch.labels.selecting import Wanted
from linewatch.training.importing import load_annotations

RUN = "20261123T010203-abc123"
MakeRun = Callable[..., Path]


def names(folder: Path) -> list[str]:
    return [path.name for path in sorted((folder / "images").iterdir())]


@pytest.mark.parametrize("layout", ["coco", "yolo"])
def test_our_own_readers_find_the_same_boxes(make_run: MakeRun, tmp_path: Path, layout: Any) -> None:
    run, output = make_run(), tmp_path / "set"
    done = export_labels(run, output, layout, Wanted("all"))
    found = load_annotations(output / "annotations.json" if layout == "coco" else output)
    assert found.classes == ("crack", "stain") == done.classes
    boxes = [[(found.classes[b.label], b.x, b.y, b.w, b.h) for b in picture.boxes] for picture in found.pictures]
    crack = ("crack", 20, 30, 40, 20)
    for shown, truth in zip(boxes, [[], [crack], [], [crack, ("stain", 225, 180, 15, 20)], []], strict=True):
        assert [one[0] for one in shown] == [one[0] for one in truth]
        for one, other in zip(shown, truth, strict=True):
            assert one[1:] == pytest.approx(other[1:], abs=0.01)
    assert names(output) == [f"{RUN}_{seq:08d}.png" for seq in range(1, 6)]


def test_each_picture_keeps_where_it_comes_from(make_run: MakeRun, tmp_path: Path) -> None:
    run, output = make_run(), tmp_path / "set"
    export_labels(run, output, "coco", Wanted("all"))
    coco = json.loads((output / "annotations.json").read_text())
    told = [(one["linewatch"]["seq"], one["linewatch"]["verdict"], one["linewatch"]["cause"]) for one in coco["images"]]
    reject, good = ("REJECT", "defect"), ("PASS", "ok")
    assert told == [(1, *good), (2, *reject), (3, *good), (4, *reject), (5, "REJECT", "exposure")]
    assert {(one["linewatch"]["run"], one["linewatch"]["model"]) for one in coco["images"]} == {
        (RUN, "bottle-1 0123456789ab on cpu")
    }
    for picture in open_export(output).pictures.values():
        original = run / "frames" / picture.file.removeprefix(f"{RUN}_")
        assert picture.sha256 == hashlib.sha256(original.read_bytes()).hexdigest()


def test_rejects_alone_are_the_default(make_run: MakeRun, tmp_path: Path) -> None:
    done = export_labels(make_run("rejects"), tmp_path / "set", "coco", Wanted())
    assert [picture.origin.seq for picture in done.pictures] == [2, 4, 5]
    assert (done.parts, done.boxes) == (3, {"crack": 2, "stain": 1})


def test_what_was_nearly_seen_is_exported_with_its_box(make_run: MakeRun, tmp_path: Path) -> None:
    done = export_labels(make_run(), tmp_path / "set", "coco", Wanted("near", (0.5,), 0.06))
    assert [(picture.origin.seq, [one.label for one in picture.boxes]) for picture in done.pictures] == [(3, ["stain"])]


def test_wanted_parts_without_a_picture_are_counted(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run("rejects")
    (run / "frames/00000002.png").unlink()
    (run / "frames/00000005.png").write_bytes(b"damaged")
    done = export_labels(run, tmp_path / "set", "yolo", Wanted("all"))
    # A frame that is gone leaves the crops of its part, and the size of another frame tells where they lie.
    assert [picture.file.removeprefix(f"{RUN}_") for picture in done.pictures] == [
        "00000002_crack_1.png",
        "00000004.png",
    ]
    assert done.without == {"unwanted": 2, "removed or damaged": 1}


def test_crops_show_what_lies_in_them(make_run: MakeRun, station: Path, tmp_path: Path) -> None:
    run, output = make_run("none"), tmp_path / "set"
    done = export_labels(run, output, "coco", Wanted(), load_station(station))
    assert done.classes == ("chip", "crack", "stain", "stone")
    assert [picture.origin.seq for picture in done.pictures] == [2, 4, 4]
    for picture in done.pictures:
        assert picture.origin.crop is not None and len(picture.boxes) == 1
        box, (left, top) = picture.boxes[0], picture.origin.crop
        there = (box.x + left, box.y + top, box.width, box.height)
        assert there == ((20, 30, 40, 20) if box.label == "crack" else (225, 180, 15, 20))


def test_crops_without_a_place_are_said(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nothing to export: 3 parts wanted.*crops of unknown place 2"):
        export_labels(make_run("none"), tmp_path / "set", "coco", Wanted())
    assert not (tmp_path / "set").exists() and not (tmp_path / "set.partial").exists()


def test_a_used_folder_is_left_alone(make_run: MakeRun, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/mine.txt").write_text("kept")
    with pytest.raises(StorageError, match=r"set: is not empty"):
        export_labels(make_run(), tmp_path / "set", "coco", Wanted())
    assert (tmp_path / "set/mine.txt").read_text() == "kept"


def test_a_station_of_another_model_is_refused(make_run: MakeRun, station: Path, tmp_path: Path) -> None:
    station.write_text(station.read_text().replace("- stain", "- scratch"))
    with pytest.raises(DatasetError, match="'stain': was detected here, but"):
        export_labels(make_run(), tmp_path / "set", "coco", Wanted(), load_station(station))


@pytest.mark.parametrize(
    ("wanted", "reason"), [(("near",), "needs --threshold"), (("all", (0.5,)), "goes with --what near alone")]
)
def test_thresholds_go_with_near(wanted: Any, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Wanted(*wanted)


def test_a_manifest_that_leads_elsewhere_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    export_labels(make_run(), tmp_path / "set", "coco", Wanted())
    path = tmp_path / "set" / MANIFEST
    whole = path.read_text()
    for text, reason in (
        (whole.replace(f'"{RUN}_00000002.png"', '"../secret.png"'), "must be a name, not a path"),
        (whole.replace('"version": 1', '"version": 2'), "2: this linewatch reads version 1"),
        (whole.replace('"class": "crack"', '"class": "dent"'), "'dent': class is not among"),
        (whole[:-200], "is damaged"),
    ):
        path.write_text(text)
        with pytest.raises(DatasetError, match=reason):
            open_export(tmp_path / "set")


def test_the_command_says_what_it_did(make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, output = str(make_run("rejects")), str(tmp_path / "set")
    assert main(["labels", "export", run, "--format", "yolo", "--what", "all", "--output", output]) == 0
    assert "3 pictures of 3 parts" in (said := capsys.readouterr().out)
    assert "crack 2, stain 1" in said and "2 wanted parts are not in it, their picture: unwanted" in said
    assert main(["labels", "export", str(tmp_path / "none"), "--output", str(tmp_path / "other")]) == 5
    assert main(["labels", "export", run, "--what", "near", "--output", str(tmp_path / "other")]) == 2


FULL = """\
import resource, signal, sys
from linewatch.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main(sys.argv[1:]))
"""


def test_a_disk_that_takes_no_more_leaves_nothing_behind(make_run: MakeRun, tmp_path: Path) -> None:
    command = ["labels", "export", str(make_run()), "--what", "all", "--output", str(tmp_path / "set")]
    done = subprocess.run(
        [sys.executable, "-c", FULL, *command],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5 and len(done.stderr.splitlines()) == 1
    assert "set" in done.stderr and "File too large" in done.stderr
    assert not list(tmp_path.glob("set*"))
