"""Let a language model write prompts.yaml (stage 1 of DS-MoE; the paper used DeepSeek-R1).

Any endpoint that speaks OpenAI's /v1/chat/completions will do: DeepSeek, vLLM, Ollama. The answer is checked as
strictly as a file written by hand, and nothing is written before somebody has seen the difference.
"""

import difflib
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from linewatch.core.errors import ModelError, UsageError
from linewatch.training.chat import ask
from linewatch.training.prompts import PromptFile, check_classes, checked_prompts, dump_prompts
from linewatch.training.whole_file import write_whole

DESCRIPTIONS = 6

_SYSTEM = (
    "You are a machine vision engineer who writes descriptions of surface defects for a detector that compares "
    "pictures with text. Answer with one JSON object and nothing else."
)
_TASK = """Product and picture: {product}

For each of these defect classes write exactly {count} different descriptions, each one English sentence, in this order:
1. how it looks; 2. its shape and its size relative to the product; 3. its edge and texture; 4. where it is found;
5. how it comes about; 6. which other class it is confused with and how it differs.
Describe what a camera sees. Do not repeat a description.

Classes: {classes}

Answer: {{"class name": ["description", ...], ...}} with exactly these class names as keys."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes. endpoint: address up to /v1. model: its name there. api_key_env: variable with the key, if any."""

    endpoint: str
    model: str
    api_key_env: str | None = None


def write_prompts(
    path: Path, writer: Writer, classes: Sequence[str], product: str, confirm: Callable[[str], bool]
) -> bool:
    """Ask `writer` for descriptions of `classes` and write them to `path` if `confirm`, shown the diff, says so.

    product: what is inspected and how the picture is taken, in a sentence or two.
    Returns whether the file was written; an answer that changes nothing is not asked about.
    Raises EndpointError when the endpoint fails, ModelError when its answer or the present file is not usable.
    """
    proposed = propose_prompts(writer, classes, product)
    text = dump_prompts(proposed)
    difference = prompts_diff(path, text)
    if not difference or not confirm(difference):
        return False
    write_whole(path, text.encode())
    return True


def propose_prompts(writer: Writer, classes: Sequence[str], product: str) -> PromptFile:
    """The descriptions that `writer` gives for `classes`, in the order of `classes`. Raises as write_prompts does."""
    listed = ", ".join(classes)
    task = _TASK.format(product=product, count=DESCRIPTIONS, classes=json.dumps(list(classes), ensure_ascii=False))
    answer = ask(writer.endpoint, writer.model, _SYSTEM, task, _key(writer))
    where = f"{writer.endpoint}: answer of {writer.model}"
    prompts = checked_prompts(where, _object(where, answer))
    check_classes(where, prompts, classes)
    for name, texts in prompts.items():
        if len(texts) != DESCRIPTIONS:
            raise ModelError(f"{where}: {name}", f"must have {DESCRIPTIONS} descriptions", len(texts))
    provenance = f"written by the language model {writer.model} for: {product} (classes: {listed})"
    return PromptFile(" ".join(provenance.split()), {name: prompts[name] for name in classes})


def prompts_diff(path: Path, text: str) -> str:
    """Unified difference from the file at `path`, or from nothing, to `text`; empty when they are the same."""
    try:
        present = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as exc:
        raise ModelError(path, f"cannot be read: {exc}") from exc
    lines = difflib.unified_diff(
        present.splitlines(keepends=True), text.splitlines(keepends=True), str(path), f"{path} (proposed)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _key(writer: Writer) -> str | None:
    if writer.api_key_env is None:
        return None
    key = os.environ.get(writer.api_key_env, "").strip()
    if not key:
        raise UsageError(writer.api_key_env, "the environment variable for the API key is not set")
    return key


def _object(where: str, answer: str) -> object:
    """The JSON object of an answer, freed of the reasoning and the code fence that models put around it."""
    text = re.sub(r"<think>.*?</think>", "", answer, flags=re.DOTALL).strip()
    fenced = re.fullmatch(r"```(?:json)?\s*(.*?)\s*```", text, flags=re.DOTALL)
    try:
        return json.loads(fenced.group(1) if fenced else text)
    except ValueError as exc:
        raise ModelError(where, f"is no JSON: {exc}", text[:80]) from exc
