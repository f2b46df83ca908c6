"""The training configuration: one YAML document per model, typed, unknown keys refused."""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from linewatch.core.errors import DatasetError
from linewatch.core.station import Section, told
from linewatch.core.yamltext import parse_yaml


class Source(Section):
    """Annotated pictures: COCO, YOLO or VOC."""

    annotations: Path = Field(description="COCO json, YOLO data.yaml or VOC folder")
    images: Path | None = Field(None, description="folder of the pictures, when the annotations do not say")


class Data(Section):
    """What is learnt from, and what is kept back."""

    sources: tuple[Source, ...] = Field(min_length=1)
    group: str | None = Field(None, description="pattern in the file name; pictures of one group stay on one side")
    part: str | None = Field(
        None,
        description="pattern of one part in the file name: groups are divided between two sides, part by part",
    )
    validation_groups: tuple[str, ...] = Field((), description="groups kept back to choose epoch and threshold")
    test_groups: tuple[str, ...] = Field((), description="groups kept back for the figures that are reported")
    template: str | None = Field(
        None,
        pattern=r"\{stem\}",
        description="file name of the same part without defects; {stem} is the bad picture's name without ending",
    )
    validation_share: float = Field(0.1, gt=0, lt=1, description="share kept back when no groups are named")

    @model_validator(mode="after")
    def _kept_back_in_one_way(self) -> Self:
        if self.part is not None and self.group is None:
            raise ValueError("part needs group: without groups, name the pattern of one part as group")
        if self.part is None and set(self.validation_groups) & set(self.test_groups):
            raise ValueError("a group can choose the threshold and be reported on only where part tells its parts")
        if self.part is not None and self.validation_groups and set(self.validation_groups) != set(self.test_groups):
            raise ValueError(
                "with part, validation_groups are none (parts of every learnt group choose the threshold) or the same "
                "as test_groups (half of their parts do)"
            )
        return self


class Strokes(Section):
    """Ragged strokes drawn into crops of black and white parts, and which class each kind is; none is not drawn."""

    mean: float = Field(0.0, ge=0, le=10, description="so many, on average, drawn into a crop of a bad part")
    margin_px: int = Field(0, ge=0, le=64, description="how far the boxes of these data reach beyond the defect")
    black_alone: str | None = Field(None, description="class of a black stroke in white ground")
    white_alone: str | None = Field(None, description="class of a white stroke in black ground")
    black_attached: str | None = Field(None, description="class of a black stroke that sticks out of a black piece")
    white_attached: str | None = Field(None, description="class of a white stroke into a black piece")
    black_across: str | None = Field(None, description="class of a black stroke between two black pieces")
    white_across: str | None = Field(None, description="class of a white stroke through a black piece")

    @property
    def named(self) -> tuple[str, ...]:
        """The classes that strokes are labelled as."""
        kinds = (self.black_alone, self.white_alone, self.black_attached, self.white_attached)
        return tuple(name for name in (*kinds, self.black_across, self.white_across) if name is not None)

    @model_validator(mode="after")
    def _some_kind_is_named(self) -> Self:
        if self.mean and not self.named:
            raise ValueError("mean needs the class of at least one kind of stroke (black_alone: ...)")
        return self


class Augmentation(Section):
    """How pictures are varied. The crop is the square that the network sees while it learns."""

    crop_px: int = Field(224, multiple_of=32, gt=0)
    on_defect: float = Field(0.6, ge=0, le=1, description="share of crops that hold a whole defect")
    on_good: float = Field(0.2, ge=0, le=1, description="share of crops from pictures without a defect")
    emphasis: dict[str, float] = Field({}, description="how much oftener crops are cut around this class than others")
    even_groups: float = Field(
        0.0, ge=0, le=1, description="0: a group is seen as often as it has pictures; 1: all groups equally often"
    )
    turn: bool = Field(True, description="flips and quarter turns")
    scale: tuple[float, float] = Field((1.0, 1.0), description="range of the factor that pictures are resized by")
    two_level: bool = Field(False, description="pictures are black and white: keep them so when resized")
    line_width_px: int = Field(0, ge=0, le=3, description="black and white pictures: how far an edge moves, either way")
    paste: float = Field(
        0.0, ge=0, le=10, description="black and white pictures: so many other defects, on average, pasted into a crop"
    )
    look_alikes: float = Field(
        0.0, ge=0, le=10, description="so many holes and islands of good parts, on average, pasted into any crop"
    )
    thin_out: float = Field(
        0.0, ge=0, le=1, description="black and white pictures: share of crops that lose pieces no defect touches"
    )
    designs: float = Field(
        0.0, ge=0, le=10, description="black and white pictures: so many pads joined by lines, on average, in any crop"
    )
    strokes: Strokes = Strokes()
    contrast: float = Field(0.0, ge=0, lt=1, description="gain is drawn from 1 - contrast to 1 + contrast")
    brightness: float = Field(0.0, ge=0, le=128, description="offset is drawn from -brightness to +brightness")

    @model_validator(mode="after")
    def _pasted_in_black_and_white(self) -> Self:
        drawn = self.paste or self.look_alikes or self.thin_out or self.designs or self.strokes.mean
        if drawn and not self.two_level:
            raise ValueError(
                "paste, look_alikes, thin_out, designs and strokes need two_level: true, black and white pictures"
            )
        return self


class Schedule(Section):
    """How long and how fast."""

    steps: int = Field(2000, gt=0)
    batch: int = Field(16, gt=0)
    learning_rate: float = Field(1.2e-3, gt=0)
    weight_decay: float = Field(0.03, ge=0)
    encoder_rate: float = Field(1.0, gt=0, description="learning rate of the encoder's last block over the others'")
    layer_decay: float = Field(1.0, gt=0, le=1, description="learning rate of each encoder block over the next one's")
    beta2: float = Field(0.999, gt=0, lt=1, description="AdamW: how slowly it forgets how large gradients were")
    warmup_steps: int = Field(100, ge=0)
    ema_decay: float = Field(0.998, gt=0, lt=1)
    clip_norm: float = Field(10.0, gt=0)
    attention_limit: float = Field(50.0, gt=0, description="how large the encoder's attention logits may grow")
    validate_every: int = Field(500, gt=0)
    keep_every: int = Field(100, gt=0, description="steps between two states on disk")


class Mixture(Section):
    """The mixture of the routers `ida` and `text_ida`, and its own training before and beside the task's."""

    components: int = Field(16, gt=0, description="Gaussian components of each expert")
    latent: int = Field(8, ge=2, description="dimensions of the autoencoder's latent")
    mass: float = Field(0.9, gt=0, le=1, description="ida: the fewest experts whose mass reaches this much work")
    steps: int = Field(64, gt=0, description="steps before the task begins; its first half teaches the autoencoder")
    batch: int = Field(16, gt=0, description="crops of such a step")
    updates: int = Field(4, gt=0, description="updates of the mixture for each step, before the task and in it")
    learning_rate: float = Field(1e-2, gt=0, description="of the mixture; the autoencoder's is a fixed share of it")
    memory: int = Field(512, gt=1, description="features of the latest crops that updates draw from")


class TrainConfig(Section):
    """One training run."""

    model: Path = Field(
        description="folder of the model: prompts.yaml and text.safetensors in, model.yaml and weights out"
    )
    classes: tuple[str, ...] = Field(min_length=1)
    product: str = Field(description="what is on the pictures, for the model card")
    licence: str = Field(description="licence line of the data, for the model card")
    input_px: int = Field(640, multiple_of=32, gt=0, description="side of the picture at inspection")
    start_from: Path | None = Field(None, description="model folder or MobileSAM encoder to start from; none is random")
    width: int = Field(96, gt=0)
    experts: int = Field(8, ge=2)
    boxes_from: Literal["pyramid", "refined"] | None = Field(
        None, description="the map that boxes come from; none is as in the model it starts from, else pyramid"
    )
    geometry: bool = Field(True, description="hyperbolic alignment; false is the control")
    router: Literal["text", "ida", "text_ida", "dense"] = Field("text", description="who chooses the experts")
    seed: int = Field(0, ge=0)
    data: Data
    augmentation: Augmentation = Augmentation()
    schedule: Schedule = Schedule()
    mixture: Mixture = Mixture()

    @model_validator(mode="after")
    def _strokes_are_of_known_classes(self) -> Self:
        unknown = set(self.augmentation.strokes.named) - set(self.classes)
        if unknown:
            raise ValueError(f"augmentation.strokes names {sorted(unknown)[0]!r}, which is none of the classes")
        return self


def load_config(path: Path) -> TrainConfig:
    """The configuration at `path`; relative paths are taken from the current folder. Raises DatasetError."""
    try:
        document: Any = parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise DatasetError(path, exc.strerror or "cannot be read") from exc
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise DatasetError(path, f"is not YAML: {exc}") from exc
    try:
        return TrainConfig.model_validate(document)
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        raise DatasetError(*told(path, errors[0], len(errors) - 1)) from exc
