"""`linewatch train CONFIG`: data in, a model folder out, with its curve and its card."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import msgspec
import torch
from safetensors.torch import load_file

from linewatch.core.errors import DatasetError, ModelError
from linewatch.dsmoe.network import Architecture, BoxesFrom, DsMoe
from linewatch.dsmoe.weights import CARD, WEIGHTS, read_card, save_model
from linewatch.training.config import TrainConfig, load_config
from linewatch.training.crops import CropSource
from linewatch.training.curve import draw_curve, draw_mixture_curve
from linewatch.training.evaluating import at_threshold, part_scores, predictions
from linewatch.training.evaluation import evaluate
from linewatch.training.part_level import choose_within_both
from linewatch.training.precision import choose_precision
from linewatch.training.progress import TrainingDisplay
from linewatch.training.prompts import load_prompts
from linewatch.training.reading import read_all
from linewatch.training.splitting import Split, load_split
from linewatch.training.team import Team, own_device
from linewatch.training.text import load_text
from linewatch.training.trainer import Progress, Trainer
from linewatch.training.whole_file import make_folder

STATE = "training-state.pt"
CURVE = "validation.png"
MIXTURE_CURVE = "mixture.png"
# Half of the escapes a station may have, as parts kept back are few, and all of its false rejects, which cost less.
MAX_ESCAPE, MAX_FALSE_REJECT = 0.005, 0.05


def train(config_path: Path, *, output: Path, device: str = "auto", threads: int = 0, fresh: bool = False) -> bool:
    """Train as `config_path` says; state, curve and model are kept in `output`.

    A state that lies there is gone on from, unless `fresh`. Returns False when stopped by a signal before the end.
    Under torchrun several processes share every batch, and the first of them writes.
    """
    config = load_config(config_path)
    target = own_device(device)
    team = Team.join(target)
    _check_shares(config, team)
    if threads:
        torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # gradients near zero would otherwise take a slow path of the CPU
    cv2.setNumThreads(1)
    torch.manual_seed(config.seed)
    split = load_split(config)
    _check_parts(split)
    pixels = read_all(split.learn, split.validation, split.test)[0]
    source = CropSource(split.learn, pixels, config.augmentation, config.seed, config.data.template)
    make_folder(output)
    trainer = Trainer(config, _network(config, target), source, target, output / STATE, team)
    if trainer.state_path.exists() and not fresh:
        trainer.resume()

    def validate(network: DsMoe) -> dict[str, float]:
        metrics = evaluate(split.validation, predictions(network, split.validation, config.input_px), threshold=0.5)
        return {"map50": metrics.map50 or 0.0, "map50_95": metrics.map50_95 or 0.0}

    asked = _asked_by_signal()

    def stop() -> bool:
        return team.any(asked(), target)

    finished = _fit_mixture(trainer, stop)
    if finished:
        with TrainingDisplay(config.schedule.steps, trainer.progress, quiet=not team.leads) as display:
            finished = trainer.run(validate, display.report, stop)
    if team.leads:
        _finish(config, trainer, split, output, finished=finished)
    return finished


def _check_parts(split: Split) -> None:
    """Before hours of training, not after them: without good and bad parts there is no threshold."""
    for name, truth in (("validation", split.validation), ("test", split.test)):
        bad = sum(bool(picture.boxes) for picture in truth.pictures)
        good = len(truth.pictures) - bad
        if truth.pictures and not (good and bad):
            raise DatasetError(
                f"data: {name} pictures", "must show good and bad parts, to choose and judge the threshold",
                f"{good} good, {bad} bad",
            )  # fmt: skip


def _check_shares(config: TrainConfig, team: Team) -> None:
    for name, batch in (("schedule.batch", config.schedule.batch), ("mixture.batch", config.mixture.batch)):
        if batch % team.size:
            raise DatasetError(name, f"must be a multiple of the {team.size} processes that share it", batch)


def _finish(config: TrainConfig, trainer: Trainer, split: Split, output: Path, *, finished: bool) -> None:
    """Curves of what was done, and the model once all of it is."""
    draw_curve(trainer.progress, output / CURVE)
    if trainer.mixture is not None:
        draw_mixture_curve(trainer.mixture.history, config.mixture.steps, output / MIXTURE_CURVE)
    if finished:
        ship(config, trainer, split, output)


def _fit_mixture(trainer: Trainer, stop: Callable[[], bool]) -> bool:
    """The router's own phase, where it has one to do; False when stopped before its end."""
    if trainer.mixture is None or not trainer.mixture.before_task:
        return True
    steps, progress = trainer.mixture.rules.steps, Progress(trainer.mixture.step)
    with TrainingDisplay(steps, progress, quiet=not trainer.team.leads) as display:
        return trainer.fit_mixture(display.report, stop)


def ship(config: TrainConfig, trainer: Trainer, split: Split, output: Path) -> None:
    """Write weights and card: threshold chosen on the validation parts, figures from the test parts where there are."""
    network = trainer.shadow()
    card = {
        "name": config.model.name,
        "product": config.product,
        "classes": list(config.classes),
        "input_px": config.input_px,
        "licence": config.licence,
        "trained": _provenance(config, trainer, split),
        **_measured(network, split, config.input_px),
    }
    save_model(output, network, network.architecture, card)


def _measured(network: DsMoe, split: Split, input_px: int) -> dict[str, Any]:
    computed = choose_precision(network, split.validation, input_px)
    found, precision = computed.found, computed.precision
    point = choose_within_both(*part_scores(split.validation, found), MAX_ESCAPE, MAX_FALSE_REJECT)
    threshold = round(point.threshold, 3)
    measured: dict[str, Any] = {
        "threshold": threshold,
        "precision": precision,
        "validation_map50_95": dict(computed.measured),
    }
    for name, truth in (("validation", split.validation), ("test", split.test)):
        if truth.pictures:
            seen = found if truth is split.validation else predictions(network, truth, input_px, precision=precision)
            point = at_threshold(truth, seen, threshold)
            measured[name] = {
                "groups": split.validation_is if truth is split.validation else split.test_is,
                **msgspec.to_builtins(evaluate(truth, seen, threshold)),
                "escapes": msgspec.to_builtins(point.escapes),
                "false_rejects": msgspec.to_builtins(point.false_rejects),
            }
    return measured


def _provenance(config: TrainConfig, trainer: Trainer, split: Split) -> dict[str, Any]:
    return {
        "pictures": len(split.learn.pictures),
        "boxes": split.learn.boxes,
        "steps": trainer.progress.step,
        "batch": config.schedule.batch,
        "crop_px": config.augmentation.crop_px,
        "start_from": "random" if config.start_from is None else config.start_from.name,
        "seed": config.seed,
        "device": str(trainer.device),
        "torch": str(torch.__version__),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _architecture(config: TrainConfig) -> Architecture:
    mixture = config.mixture
    return Architecture(
        len(config.classes), config.width, experts=config.experts, geometry=config.geometry, router=config.router,
        components=mixture.components, latent=mixture.latent, mass=mixture.mass,
        boxes_from=config.boxes_from or _boxes_from(config.start_from),
    )  # fmt: skip


def _boxes_from(start: Path | None) -> BoxesFrom:
    """As in the model folder that training starts from: what was learnt in one order is lost in the other."""
    if start is None or not (start / CARD).is_file():
        return "pyramid"
    return read_card(start).architecture.boxes_from


def _network(config: TrainConfig, device: torch.device) -> DsMoe:
    prompts = load_prompts(config.model / "prompts.yaml", config.classes)
    teacher = torch.from_numpy(load_text(config.model / "text.safetensors", prompts))
    network = DsMoe(_architecture(config), teacher)
    if config.start_from is not None:
        start_from(network, config.start_from)
    return network.to(device).to(memory_format=torch.channels_last)


def start_from(network: DsMoe, path: Path) -> None:
    """Take over what fits by name and shape from a model folder, or the encoder of a converted MobileSAM checkpoint.

    Raises ModelError when there is nothing at `path` or a MobileSAM file lacks a key.
    """
    file = path / WEIGHTS if path.is_dir() else path
    if not file.is_file():
        raise ModelError(file, "no such weights to start from")
    given = load_file(file)
    if any(name.startswith("image_encoder.") for name in given):
        try:
            network.encoder.load_mobile_sam(given)
        except KeyError as exc:
            raise ModelError(file, f"lacks {exc}") from exc
        return
    own = network.state_dict()
    fitting = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    network.load_state_dict({**own, **{name: value.to(own[name].dtype) for name, value in fitting.items()}})


def _asked_by_signal() -> Callable[[], bool]:
    """A question that turns true after SIGINT or SIGTERM, so that the step in hand is finished and kept."""
    asked: list[bool] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.append(True))
    return lambda: bool(asked)
