"""`linewatch models`: what is whole and what is not, and whether what we ship is."""

import shutil
from pathlib import Path

import pytest

import linewatch
from linewatch.cli import main

PROJECT = Path(linewatch.__file__).parent.parent


@pytest.fixture
def models(model: Path, tmp_path: Path) -> Path:
    """models/tiny with descriptions and their embeddings borrowed from nobody: there are none."""
    shutil.copytree(model, tmp_path / "models" / "tiny")
    return tmp_path / "models"


def test_list_shows_what_is_there(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--models", str(models)]) == 0
    assert "tiny" in capsys.readouterr().out


def test_list_goes_on_behind_a_broken_card(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (models / "broken").mkdir()
    (models / "broken" / "model.yaml").write_text("name: x\n")
    assert main(["models", "list", "--models", str(models)]) == 3
    said = capsys.readouterr()
    assert "tiny" in said.out
    assert "broken/model.yaml: lacks or misstates 'classes'" in said.err


def test_no_model_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--models", str(tmp_path)]) == 5
    assert f"{tmp_path}: holds no model" in capsys.readouterr().err


def test_verify_names_everything_that_is_wrong(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (models / "tiny" / "weights.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    assert main(["models", "verify", "tiny", "--models", str(models)]) == 3
    weights, prompts = capsys.readouterr().err.splitlines()
    assert "weights.safetensors: sha256 is" in weights
    assert "prompts.yaml: No such file" in prompts


def test_verify_a_model_that_is_not_there(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", "other", "--models", str(models)]) == 3
    assert "other/model.yaml: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["bottle-bottom", "deeppcb"])
def test_the_models_that_ship_are_whole(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", name, "--models", str(PROJECT / "models")]) == 0, capsys.readouterr().err
