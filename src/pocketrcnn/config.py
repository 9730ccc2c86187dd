"""Every setting of a run: frozen dataclasses, checked when they are built, saved as YAML and read back.

No torch here, so that the command line answers at once. Each module receives its own small dataclass, never the whole.
"""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from .errors import UserError

SCHEMA = 1  # raised when a saved configuration can no longer be read as it was meant


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise UserError(message)


@dataclass(frozen=True)
class DataConfig:
    """What is learned from."""

    source: str = "cifar10"
    """`cifar10`, `sample` (the 1,500 images inside the package), or a folder in the layout of the course."""
    kind: Literal["images", "scenes"] = "images"
    """`images`: one object that fills the frame. `scenes`: Transformed CIFAR-10, one object on a 48x48 background."""
    fresh: bool = True
    """Scenes: a new composition in every iteration, instead of a fixed set with one composition an image."""
    holdout: int = 0
    """Training images kept back and evaluated in place of the test set (for choosing settings)."""
    backgrounds: str = ""
    """Scenes: a folder with CIFAR-100's binary files (`train.bin`, `test.bin`); empty: other CIFAR-10 batches."""

    def __post_init__(self) -> None:
        _check(self.holdout >= 0, f"data.holdout is {self.holdout}: use 0 or more images")


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes of training images, whole batches at once; boxes move with the pixels."""

    flip: Literal["none", "random", "alternating"] = "none"
    """`alternating`: every image is flipped in every second epoch, the first time at random (airbench)."""
    shift: int = 0
    """Largest translation in pixels, each way; the border is filled by reflection."""
    cutout: int = 0
    """Side in pixels of a grey square put at a random place; 0 for none."""
    brightness: float = 0.0
    """Largest change of brightness, as a part of the full range."""
    contrast: float = 0.0
    """Largest relative change of contrast."""

    def __post_init__(self) -> None:
        _check(self.shift >= 0, f"augment.shift is {self.shift}: use 0 or more pixels")
        _check(self.cutout >= 0, f"augment.cutout is {self.cutout}: use 0 or more pixels")


@dataclass(frozen=True)
class BackboneConfig:
    """The convolutions that make features."""

    block: Literal["conv", "separable", "residual"] = "conv"
    """What Table 1 calls a convolution; the last one of a network is always a plain one."""
    table: Literal[1, 2] = 1
    """1: five convolutions, each pooled (stride 32). 2: four, the last not pooled (stride 8)."""
    whiten: bool = False
    """The first convolution consists of the principal components of image patches and is not trained."""
    identity: bool = False
    """Behind the first convolution, begin with filters that pass their input on (a dirac in the middle tap)."""


@dataclass(frozen=True)
class RPNConfig:
    """The region proposal network (Ren et al. 2015, section 3.1)."""

    sizes: tuple[float, ...] = (32.0,)
    """Sides of the square anchors on each cell, in pixels."""
    ratios: tuple[float, ...] = (1.0,)
    """Height over width of the anchors; the area of an anchor is its size squared."""
    channels: int = 256
    box_dims: Literal[0, 3, 4] = 3
    """0: no regression. 3: x, y and one side (squares). 4: x, y, width, height."""
    output: Literal["deltas", "pixels"] = "deltas"
    """What the last convolution predicts: t_x.. of the paper, or centre and side in pixels (the course)."""
    prior: float = 0.5
    """Objectness before training, as a probability: the bias is its log odds."""
    positive_iou: float = 0.7
    negative_iou: float = 0.1
    proposals: int = 1
    """Proposals kept an image, best first."""

    def __post_init__(self) -> None:
        _check(len(self.sizes) > 0 and min(self.sizes) > 0, "rpn.sizes needs at least one anchor size above 0")
        _check(0 < self.prior < 1, f"rpn.prior is {self.prior}: a probability between 0 and 1")
        _check(self.proposals >= 1, f"rpn.proposals is {self.proposals}: keep at least 1")


@dataclass(frozen=True)
class ROIConfig:
    """From a box on the feature map to a class (Girshick 2015, section 2.1; Jaderberg et al. 2015, section 3)."""

    pool: Literal["frame", "transformer", "max"] = "frame"
    """`frame`: all features. `transformer`: a bilinear crop by theta. `max`: ROI max pooling."""
    size: int = 4
    """Side of the crop in cells."""
    channels: int = 0
    """Width of the fully connected layer before the classes; 0 for none."""
    dropout: float = 0.0
    train_box: Literal["truth", "predicted", "jittered"] = "truth"
    """The box that is cropped in training; the predicted one is always used for evaluation."""
    jitter: float = 0.0
    """`jittered`: standard deviation of the noise added to the true deltas."""

    def __post_init__(self) -> None:
        _check(0 <= self.dropout < 1, f"roi.dropout is {self.dropout}: use 0 up to, not including, 1")


@dataclass(frozen=True)
class ModelConfig:
    """The parts of a detector: a classifier has no region proposals, a proposal network no classes."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    rpn: RPNConfig | None = None
    roi: ROIConfig | None = field(default_factory=ROIConfig)
    image: int = 32
    """Side of the input in pixels."""
    classes: int = 10


@dataclass(frozen=True)
class LossConfig:
    """Weights of the three losses in their sum."""

    objectness: float = 1.0
    box: float = 1.0
    object: float = 1.0
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class OptimConfig:
    """The optimiser, its schedule and the averaging of weights."""

    name: Literal["adam", "adamw", "sgd", "muon"] = "adam"
    """`adam` couples weight decay with the gradient; `muon` orthogonalises the momentum of the filters."""
    lr: float = 1e-3
    final_lr: float = 0.0
    schedule: Literal["linear", "exponential"] = "linear"
    warmup: float = 0.0
    """Part of the run in which the learning rate rises from 0."""
    filter_lr: float = 0.08
    """`muon`: relative change of a filter bank in one step."""
    filter_rows: int = 256
    """`muon`: banks of more filters than this are left to AdamW; making them orthogonal costs more than it gains."""
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    """`adam`, `adamw` and `muon`'s rest: memory of gradient and squared gradient."""
    weight_decay: float = 0.0
    bias_decay: float = 0.0
    """Weight decay of BatchNorm and biases."""
    bias_lr: float = 1.0
    """Factor on the learning rate of BatchNorm and biases."""
    average: float = 0.0
    """Part of the run over which weights are averaged exponentially for evaluation; 0 for none."""

    def __post_init__(self) -> None:
        _check(self.lr > 0, f"optim.lr is {self.lr}: use a learning rate above 0")


@dataclass(frozen=True)
class TrainConfig:
    """How long, how often, on what."""

    iterations: int = 2000
    batch: int = 100
    seed: int = 0
    evaluations: int = 20
    """Points of the curves, spread evenly over the run."""
    curve_images: int = 1000
    """Images of each split behind a point of the curves; the last figure always uses all."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """`auto`: bfloat16 where the processor multiplies it fast, else float32."""
    checkpoint_seconds: float = 20.0
    """Time between two savings of the full state."""

    def __post_init__(self) -> None:
        _check(self.iterations >= 1, f"train.iterations is {self.iterations}: use 1 or more")
        _check(self.batch >= 2, f"train.batch is {self.batch}: BatchNorm needs 2 or more images")
        _check(self.evaluations >= 1, f"train.evaluations is {self.evaluations}: use 1 or more")


@dataclass(frozen=True)
class Config:
    """One run."""

    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


def replace(config: Config, **changes: object) -> Config:
    """A copy with other values, named by dotted key with `__` for the dot: replace(c, train__seed=1)."""
    for name, value in changes.items():
        config = _set(config, name.split("__"), value)
    return config


def _set(node: Any, path: list[str], value: object) -> Any:
    if len(path) > 1:
        value = _set(getattr(node, path[0]), path[1:], value)
    return dataclasses.replace(node, **{path[0]: value})


def to_dict(config: Config) -> dict[str, Any]:
    """Plain types only, for YAML, JSON and comparison."""
    plain: dict[str, Any] = yaml.safe_load(yaml.safe_dump(_plain(config)))
    return plain


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return list(value) if isinstance(value, tuple) else value


def dump(config: Config) -> str:
    """The configuration as YAML, with the version of its layout."""
    return yaml.safe_dump({"schema": SCHEMA, **to_dict(config)}, sort_keys=False)


def load(text: str, where: str) -> Config:
    """Read what `dump` wrote. `where` names the file in error messages."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(
            f"{where} is not YAML ({str(error).splitlines()[0]}): restore it or use a new folder"
        ) from error
    if not isinstance(raw, dict) or raw.pop("schema", None) != SCHEMA:
        raise UserError(f"{where} was written by another version of pocketrcnn: use that version or a new folder")
    config: Config = _build(Config, raw, where)
    return config


def _build(kind: Any, raw: Any, where: str) -> Any:
    if not isinstance(raw, dict):
        raise UserError(f"{where} needs a section of settings where it has {raw!r}: restore it or use a new folder")
    hints = get_type_hints(kind)
    for name in raw:
        if name not in hints:
            raise UserError(
                f"{where} has the unknown setting `{name}`{nearest(name, hints)}: was another version used?"
            )
    return kind(**{name: _convert(hints[name], value, f"{where}, {name}") for name, value in raw.items()})


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return None if value is None else _convert(next(o for o in options if o is not type(None)), value, where)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where)
    if origin is Literal:
        _check(value in options, f"{where}: {value!r} is none of {', '.join(map(repr, options))}")
        return value
    if origin is tuple:
        _check(isinstance(value, list), f"{where}: {value!r} is not a list of numbers")
        return tuple(_convert(options[0], item, where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    _check(type(value) is hint, f"{where}: {value!r} is not of type {hint.__name__}")
    return value


def nearest(name: str, known: Any) -> str:
    """` (did you mean `x`?)`, or nothing when no known name is near."""
    found = difflib.get_close_matches(name, [str(k) for k in known], n=1, cutoff=0.5)
    return f" (did you mean `{found[0]}`?)" if found else ""
