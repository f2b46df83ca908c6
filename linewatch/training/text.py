"""text.safetensors: the teacher's embeddings of prompts.yaml, kept beside it so that training needs no language model.

One tensor, `embeddings` (C, P, d) float32, classes and descriptions in the order of prompts.yaml; the metadata name the
encoder and carry the fingerprint of the prompts, so that embeddings of older descriptions are noticed.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from linewatch.core.errors import ModelError
from linewatch.training.prompts import Prompts, fingerprint
from linewatch.training.whole_file import write_whole

Embeddings = npt.NDArray[np.float32]

_KEY = "embeddings"
_AGAIN = "write it again with `linewatch prompts embed`"


def class_means(embeddings: Embeddings) -> Embeddings:
    """One direction per class: the mean over its descriptions, normalised.

    embeddings: (C, P, d), rows of unit length. Returns (C, d), rows of unit length.
    """
    means = embeddings.mean(axis=1)
    scaled: Embeddings = means / np.linalg.norm(means, axis=1, keepdims=True)
    return scaled


def save_text(path: Path, embeddings: Embeddings, prompts: Prompts, encoder: str) -> None:
    """Write the embeddings (C, P, d) of `prompts` by `encoder` to `path`, replacing it in one step."""
    metadata = {"prompts_sha256": fingerprint(prompts), "encoder": encoder, "pooling": "mean over tokens"}
    write_whole(path, save({_KEY: np.ascontiguousarray(embeddings)}, metadata=metadata))


def load_text(path: Path, prompts: Prompts) -> Embeddings:
    """The embeddings (C, P, d) of `prompts` kept at `path`.

    Raises ModelError when the file is missing, broken, of another shape, or made from other descriptions.
    """
    if not path.is_file():
        raise ModelError(path, f"no such file; {_AGAIN}")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            embeddings: Embeddings = file.get_tensor(_KEY)
    except (OSError, SafetensorError) as exc:
        raise ModelError(path, f"is no safetensors file with `{_KEY}`: {exc}") from exc
    if metadata.get("prompts_sha256") != fingerprint(prompts):
        raise ModelError(path, f"was made from other descriptions than prompts.yaml has now; {_AGAIN}")
    expected = (len(prompts), len(next(iter(prompts.values()))))
    if embeddings.ndim != 3 or embeddings.shape[:2] != expected or not np.isfinite(embeddings).all():
        raise ModelError(path, f"`{_KEY}` must be finite vectors, {expected} of them", embeddings.shape)
    return embeddings
