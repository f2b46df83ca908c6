"""Fetching published weights: from a file and over HTTP; only the right ones, and whole."""

import hashlib
import subprocess
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from linewatch.core.errors import EndpointError, ModelError, StorageError
from linewatch.training.weights_fetch import fetch_mobile_sam, git_blob_id


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder; of a file called cut.pt only the first half, though it promises all."""

    def log_message(self, *_: object) -> None:
        """The test's output stays clean."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        content = source.read()
        outputfile.write(content[: len(content) // 2] if self.path == "/cut.pt" else content)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint in upstream's form: flat, encoder and decoder, two views of one storage."""
    shared = torch.arange(12.0)
    path = tmp_path / "upstream" / "mobile_sam.pt"
    path.parent.mkdir()
    tensors = {
        "image_encoder.a.weight": shared[:6].view(2, 3).T,
        "image_encoder.b": shared[3:],
        "mask_decoder.c": shared,
    }
    torch.save(tensors, path)
    return path


@pytest.fixture
def site(checkpoint: Path) -> Iterator[str]:
    """Address of a server of the checkpoint's folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(checkpoint.parent))) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def blob_of(path: Path) -> str:
    with path.open("rb") as file:
        return git_blob_id(file)


def test_the_blob_id_is_that_of_git(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"", b"hello\n", bytes(range(256)) * 9000):
        path.write_bytes(content)
        done = subprocess.run(["git", "hash-object", str(path)], capture_output=True, text=True, check=True)
        assert blob_of(path) == done.stdout.strip()


def test_a_local_checkpoint_becomes_safetensors(checkpoint: Path, tmp_path: Path) -> None:
    target = fetch_mobile_sam(tmp_path / "models" / "encoder.safetensors", checkpoint, blob_of(checkpoint))
    found = load_file(target)
    assert sorted(found) == ["image_encoder.a.weight", "image_encoder.b"]
    assert torch.equal(found["image_encoder.a.weight"], torch.arange(6.0).view(2, 3).T)
    assert torch.equal(found["image_encoder.b"], torch.arange(3.0, 12.0))
    assert [path.name for path in target.parent.iterdir()] == ["encoder.safetensors"]


def test_a_download_gives_the_same_weights(checkpoint: Path, site: str, tmp_path: Path) -> None:
    blob = blob_of(checkpoint)
    local = fetch_mobile_sam(tmp_path / "a.safetensors", checkpoint, blob)
    fetched = fetch_mobile_sam(tmp_path / "b.safetensors", f"{site}/mobile_sam.pt", blob)
    one, other = load_file(local), load_file(fetched)  # the header's metadata come in any order: bytes may differ
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def refused(source: str | Path, blob: str, kind: type[Exception], reason: str, folder: Path) -> None:
    """The source is refused, and neither new file nor loss of the old one comes of it."""
    folder.mkdir()
    old = folder / "old.safetensors"
    old.write_bytes(b"old")
    for target in (old, folder / "new.safetensors"):
        with pytest.raises(kind, match=reason):
            fetch_mobile_sam(target, source, blob)
    assert [path.name for path in folder.iterdir()] == ["old.safetensors"]
    assert old.read_bytes() == b"old"


def test_another_file_is_refused(checkpoint: Path, site: str, tmp_path: Path) -> None:
    for number, source in enumerate((str(checkpoint), f"{site}/mobile_sam.pt")):
        refused(source, "0" * 40, ModelError, "another file than the published one", tmp_path / str(number))


def test_a_download_that_breaks_off_is_refused(checkpoint: Path, site: str, tmp_path: Path) -> None:
    (checkpoint.parent / "cut.pt").write_bytes(checkpoint.read_bytes())
    refused(f"{site}/cut.pt", blob_of(checkpoint), EndpointError, "broke off after", tmp_path / "out")


def test_no_network_is_said_with_a_way_out(checkpoint: Path, site: str, tmp_path: Path) -> None:
    refused(f"{site}/gone.pt", "", EndpointError, "404 .*give its path", tmp_path / "a")
    refused("http://127.0.0.1:1/x.pt", "", EndpointError, "cannot be reached: .*give its path", tmp_path / "b")
    refused(checkpoint.parent / "gone.pt", "", StorageError, "No such file", tmp_path / "c")


def test_a_checkpoint_that_runs_code_or_holds_no_encoder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    torch.save({"image_encoder.a": hashlib.sha256}, path)
    refused(path, blob_of(path), ModelError, "no checkpoint of plain tensors", tmp_path / "a")
    torch.save({"mask_decoder.a": torch.zeros(1)}, path)
    refused(path, blob_of(path), ModelError, "holds no tensors called image_encoder", tmp_path / "b")
    path.write_bytes(b"no checkpoint")
    refused(path, blob_of(path), ModelError, "no checkpoint of plain tensors", tmp_path / "c")


def test_a_target_that_cannot_be_written_is_named(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match=r"file: File exists"):
        fetch_mobile_sam(tmp_path / "file" / "x.safetensors", checkpoint, blob_of(checkpoint))
