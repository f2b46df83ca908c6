"""MobileSAM's published weights: fetched from upstream or from a file, proven right, kept as safetensors.

What the network takes from them is the image encoder; the mask decoder is left out. Source of the weights:
https://github.com/ChaoningZhang/MobileSAM, weights/mobile_sam.pt (Apache-2.0).
"""

import hashlib
import http.client
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from pickle import UnpicklingError
from typing import IO

from linewatch.core.errors import EndpointError, ModelError, StorageError
from linewatch.training.whole_file import make_folder, write_whole

MOBILE_SAM_URL = "https://raw.githubusercontent.com/ChaoningZhang/MobileSAM/master/weights/mobile_sam.pt"
MOBILE_SAM_BLOB = "7ef2d090979fd9853adf17b7a99c8b94a1c5a6a7"

_PREFIX = "image_encoder."
_TIMEOUT_S = 30.0
_CHUNK_BYTES = 2**20


def fetch_mobile_sam(target: Path, source: str | Path = MOBILE_SAM_URL, blob: str = MOBILE_SAM_BLOB) -> Path:
    """Write the image encoder of the checkpoint at `source` to `target` (safetensors) and return `target`.

    source: http(s) address, or path of a checkpoint that is already here. blob: git blob id that it must have.
    Raises EndpointError without network, StorageError for a path that cannot be read or written, and ModelError when
    the checkpoint is another one or holds no image encoder. `target` is whole or not there.
    """
    # Without a name in the file system, a download that is cut off leaves nothing behind, even after SIGKILL.
    with tempfile.TemporaryFile() as checkpoint:
        if str(source).startswith(("http://", "https://")):
            _download(str(source), checkpoint)
        else:
            _copy(Path(source), checkpoint)
        found = git_blob_id(checkpoint)
        if found != blob:
            raise ModelError(source, f"is another file than the published one, whose git blob id is {blob}", found)
        content = _encoder(source, checkpoint)
    make_folder(target.parent)
    write_whole(target, content)
    return target


def git_blob_id(file: IO[bytes]) -> str:
    """The id (40 hex digits) under which git stores the content of `file`."""
    size = file.seek(0, 2)
    # git's name for the content, no protection of ours: the transport and the pinned id are.
    digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _download(address: str, into: IO[bytes]) -> None:
    hint = "fetch it elsewhere and give its path"
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as response:
            shutil.copyfileobj(response, into, _CHUNK_BYTES)
            promised = int(response.headers["Content-Length"] or into.tell())
    except urllib.error.HTTPError as exc:
        exc.close()
        raise EndpointError(address, f"answers {exc.code} {exc.reason}; {hint}") from exc
    except urllib.error.URLError as exc:
        raise EndpointError(address, f"cannot be reached: {exc.reason}; {hint}") from exc
    except (OSError, ValueError, http.client.HTTPException) as exc:
        raise EndpointError(address, f"broke off: {exc or type(exc).__name__}; {hint}") from exc
    if promised != into.tell():
        raise EndpointError(address, f"broke off after {into.tell()} of {promised} bytes; {hint}")


def _copy(path: Path, into: IO[bytes]) -> None:
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, into, _CHUNK_BYTES)
    except OSError as exc:
        raise StorageError(path, exc.strerror or "cannot be read") from exc


def _encoder(source: str | Path, checkpoint: IO[bytes]) -> bytes:
    """The image encoder's tensors as the bytes of a safetensors file, under their upstream names."""
    import torch
    from safetensors.torch import save

    checkpoint.seek(0)
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as exc:
        raise ModelError(source, f"is no checkpoint of plain tensors: {exc}") from exc
    tensors = state.items() if isinstance(state, dict) else ()
    # Upstream's file may hold views of one storage; safetensors wants each on its own.
    encoder = {
        key: value.contiguous().clone()
        for key, value in tensors
        if isinstance(value, torch.Tensor) and key.startswith(_PREFIX)
    }
    if not encoder:
        raise ModelError(source, f"holds no tensors called {_PREFIX}*")
    return save(encoder, metadata={"source": "ChaoningZhang/MobileSAM weights/mobile_sam.pt", "licence": "Apache-2.0"})
