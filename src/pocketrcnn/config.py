"""Every setting of a run: frozen dataclasses, checked when they are built. No torch here.
Each part of the network receives a small dataclass, never the whole. `training/config_file.py` saves and reads them."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .errors import at_least, require

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
Part = Literal["backbone", "rpn", "head"]
PARTS: tuple[Part, ...] = get_args(Part)  # of a detector: what a phase of training may leave as it is
BACKGROUNDS = "+cifar100:"  # in a source, before the folder that the backgrounds come from
Precision = Literal["auto", "float32", "bfloat16"]
Pages = Literal["first", "all", "max", "mean"]


@dataclass(frozen=True)
class DataConfig:
    """What a network is trained and evaluated on."""

    source: str = "cifar10"
    """`cifar10`, `sample` (the 1,500 images inside the package), or a folder. With `+cifar100:FOLDER` behind one of the
    first two, scenes stand on the images of CIFAR-100, in its `train.bin` and `test.bin` there."""
    kind: Literal["images", "scenes", "folder"] = "images"
    """`images`: one object that fills the image. `scenes`: Transformed CIFAR-10. `folder`: the user's images."""
    classes: tuple[str, ...] = ()  # names of the labels; `images` and `scenes` have CIFAR-10's
    voc_origin: int = 0  # `folder`: the first pixel in VOC boxes, 0 or 1
    bbox: Literal["auto", "xyxy", "xywh", "cxcywh", "yxyx", "yxhw"] = "auto"  # `folder`: what numbers of boxes are
    units: Literal["auto", "pixels", "fractions"] = "auto"  # `folder`: of boxes
    follow_outside: bool = False  # `folder`: read what annotations and links name outside of it, too
    seed: int = 0  # `folder`: decides which images are for validation and test where the data do not say
    pages: Pages = "first"  # `folder`: of files with several: one, each by its name (a.tif[2]), or a projection of all
    fresh: bool = True  # scenes: a new composition in every iteration, instead of a fixed set with one an image
    holdout: int = 0  # training images kept back and evaluated in place of the test set, to choose settings by
    tile_overlap: int = 0
    """`folder`: pixels that tiles of `model.input_size` share, in larger images; 0: these images are downscaled."""

    def __post_init__(self) -> None:
        at_least("data", self, holdout=0, tile_overlap=0)
        if self.kind != "folder":
            object.__setattr__(self, "classes", CIFAR10)

    @property
    def parts(self) -> tuple[str, str]:
        """Where the objects come from, and the folder of CIFAR-100 behind them; empty: other images of the source."""
        objects, _, backgrounds = self.source.partition(BACKGROUNDS)
        return objects, backgrounds


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes of training images, whole batches at once; boxes move with the pixels."""

    flip: Literal["none", "random", "alternating"] = "none"
    """`alternating`: every image is flipped in every second epoch, the first time at random (airbench)."""
    shift: int = 0  # largest translation in pixels, each way; the border is filled by reflection
    cutout: int = 0  # side in pixels of a grey square at a random position; 0 for none
    brightness: float = 0.0  # largest change of brightness, as a fraction of the full range
    contrast: float = 0.0  # largest relative change of contrast
    flip_vertical: bool = False  # mirror every second image upside down
    rotate: bool = False  # rotate by a random multiple of 90 degrees
    zoom: tuple[float, float] = (1.0, 1.0)  # smallest and largest enlargement, cut at the border; empty space is grey
    aspect: float = 0.0  # largest relative change of width over height: 0.25 for 1/1.25 to 1.25
    zoomed: float = 1.0  # probability that zoom and aspect change an image; the others move by whole pixels
    translate: float = 0.0  # largest move, as a fraction of the side, on top of the room that zoom leaves
    gamma: float = 0.0  # largest relative change of the exponent of the grey values: 0.25 for 1/1.25 to 1.25
    saturation: float = 0.0  # largest relative change of the distance of each colour from grey
    hue: float = 0.0  # largest shift of the colours, as a fraction of the colour circle
    noise: float = 0.0  # largest standard deviation of the noise added to each value, as a fraction of the full range
    invert: float = 0.0  # probability that an image becomes its negative
    grey: float = 0.0  # probability that an image loses its colours
    paste: int = 0  # largest number of objects copied into an image from others of the batch
    mosaic: float = 0.0  # probability that an image is put together from corners of four, each at its scale

    def __post_init__(self) -> None:
        rising = len(self.zoom) == 2 and 0 < self.zoom[0] <= self.zoom[1]
        require(rising, f"augment.zoom is {list(self.zoom)}: use two factors above 0, the smaller one first")
        units = {"shift": " pixels", "cutout": " pixels", "paste": " objects"}
        for name in (*units, "aspect", "translate", "gamma", "saturation", "hue", "noise"):
            value = getattr(self, name)
            require(value >= 0, f"augment.{name} is {value}: use 0 or more{units.get(name, '')}")
        for name in ("zoomed", "invert", "grey", "mosaic"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"augment.{name} is {value}: a probability, 0 to 1")


@dataclass(frozen=True)
class BackboneConfig:
    """The convolutions that make features."""

    block: Literal["conv", "separable", "residual"] = "conv"
    """What Table 1 calls a convolution; the last one of a network is always a plain one."""
    table: Literal[1, 2, 3] = 1
    """1: stride 32. 2: stride 8. 3: stride 16, for images of any size (see `architectures.TABLES`)."""
    width: float = 1.0  # factor on the channels of the table
    merge: Literal[0, 4, 8] = 0
    """Stride to which deeper maps are brought back and added (Lin et al. 2017, section 3); 0: the last map alone."""
    whiten: bool = False
    """The first convolution consists of the principal components of image patches; it and its norm are not trained."""
    identity: bool = False
    """Behind the first convolution, begin with filters that pass their input on (a dirac in the middle tap)."""


@dataclass(frozen=True)
class RPNConfig:
    """The region proposal network (Ren et al. 2015, section 3.1)."""

    anchors: tuple[tuple[float, float], ...] = ((32.0, 32.0),)
    """Width and height of the anchors on each cell, in pixels; `custom/anchors.py` fits them to the training boxes."""
    channels: int = 256
    box_dims: Literal[0, 3, 4] = 3  # 0: no regression. 3: x, y and one side (squares). 4: x, y, width, height.
    output: Literal["deltas", "pixels"] = "deltas"
    """What the last convolution predicts: t_x.. of the paper, or centre and side in pixels (the course)."""
    prior: float = 0.5  # objectness before training, as a probability: the bias is its log odds
    positive_iou: float = 0.7
    negative_iou: float = 0.1
    sample: int = 0
    """Anchors an image that the losses count, drawn at random, positives first up to a half; 0: all of them."""
    candidates: int = 1
    """Anchors of highest objectness that enter non-maximum suppression, at `nms_iou`: the pre-NMS top-n."""
    nms_iou: float = 0.7
    proposals: int = 1  # proposals kept an image, best first: the post-NMS top-n
    training_fraction: float = 1.0
    """Fraction of the candidates and proposals that is used in training, where only a sample is classified."""

    def __post_init__(self) -> None:
        sides = [side for anchor in self.anchors for side in anchor]
        require(len(sides) > 0 and min(sides) > 0, "rpn.anchors needs at least one anchor, with sides above 0")
        at_least("rpn", self, channels=1, sample=0, proposals=1)
        require(self.candidates >= self.proposals, f"rpn.candidates is {self.candidates}: use rpn.proposals or more")
        require(0 < self.prior < 1, f"rpn.prior is {self.prior}: a probability between 0 and 1")
        fraction = self.training_fraction
        require(0 < fraction <= 1, f"rpn.training_fraction is {fraction}: use more than 0, at most 1")


@dataclass(frozen=True)
class ROIConfig:
    """From a box on the feature map to a class (Girshick 2015, section 2.1; Jaderberg et al. 2015, section 3)."""

    pool: Literal["frame", "transformer", "max"] = "frame"
    """`frame`: all features. `transformer`: a bilinear crop by theta. `max`: ROI max pooling."""
    size: int = 4  # side of the crop in cells
    channels: int = 0  # width of the fully connected layer before the classes; 0 for none
    dropout: float = 0.0
    train_box: Literal["truth", "predicted", "jittered", "sampled"] = "truth"
    """The box cropped in training; for evaluation it is the predicted one. `sampled`: Ren et al. 2015, section 3.2."""
    jitter: float = 0.0  # `jittered`: standard deviation of the noise added to the true deltas
    background: bool = False  # one class more, for regions that hold no object
    refine: bool = False  # the head corrects the box of its region, too (Girshick 2015, section 2.3)
    sample: int = 64  # `sampled`: regions an image
    positive_fraction: float = 0.5  # `sampled`: the largest fraction of them that may hold an object
    positive_iou: float = 0.5
    """Overlap with an object from which on a region stands for it; below it stands for the background."""

    def __post_init__(self) -> None:
        at_least("roi", self, size=1, channels=0, sample=1, jitter=0, positive_fraction=0)
        require(0 <= self.dropout < 1, f"roi.dropout is {self.dropout}: use 0 up to, not including, 1")


@dataclass(frozen=True)
class ModelConfig:
    """The parts of a detector: a classifier has no region proposals, a proposal network no classes."""

    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    rpn: RPNConfig | None = None
    roi: ROIConfig | None = field(default_factory=ROIConfig)
    input_size: int = 32  # side of the network's square input in pixels
    classes: int = 10
    detections: int = 1  # detections an image, best first, after suppression by class at `nms_iou`
    nms_iou: float = 0.5
    min_score: float = 0.0  # detections below this score are dropped

    def __post_init__(self) -> None:
        at_least("model", self, classes=1, detections=1)
        whole = self.roi is None or self.roi.pool != "frame" or (self.rpn is None and self.roi.train_box != "sampled")
        require(whole, "roi.pool: `frame` classifies the whole input, not regions: use `transformer` or `max`")


@dataclass(frozen=True)
class LossConfig:
    """Weights: objectness and boxes of the proposals, classes of the regions, the head's correction of boxes."""

    objectness: float = 1.0
    box: float = 1.0
    classification: float = 1.0
    box_regression: float = 1.0
    label_smoothing: float = 0.0


@dataclass(frozen=True)
class OptimConfig:
    """The optimiser, its schedule and the averaging of weights."""

    name: Literal["adam", "adamw", "sgd", "muon"] = "adam"
    """`adam` couples weight decay with the gradient; `muon` orthogonalises the momentum of the filters."""
    lr: float = 1e-3
    final_lr: float = 0.0
    schedule: Literal["linear", "exponential"] = "linear"
    warmup: float = 0.0  # fraction of the run in which the learning rate rises from 0
    filter_lr: float = 0.08  # `muon`: relative change of a filter bank in one step
    filter_rows: int = 256  # `muon`: larger banks are left to AdamW; to make them orthogonal costs more than it gains
    momentum: float = 0.9
    betas: tuple[float, float] = (0.9, 0.999)
    """`adam`, `adamw` and `muon`'s rest: memory of gradient and squared gradient."""
    weight_decay: float = 0.0
    bias_decay: float = 0.0  # weight decay of BatchNorm and biases
    bias_lr: float = 1.0  # factor on the learning rate of BatchNorm and biases
    average: float = 0.0  # fraction of the run over which weights are averaged exponentially for evaluation; 0 for none

    def __post_init__(self) -> None:
        require(0 <= min(self.betas) <= max(self.betas) < 1, f"optim.betas is {list(self.betas)}: use 0 up to, not 1")
        require(self.lr > 0, f"optim.lr is {self.lr}: use a learning rate above 0")
        words = "an exponential schedule needs a rate above 0 to end at, as in optim.final_lr=1e-4"
        require(self.schedule != "exponential" or self.final_lr > 0, f"optim.final_lr is {self.final_lr}: {words}")


@dataclass(frozen=True)
class PhaseConfig:
    """A stretch of the run in which some parts of the network learn (Ren et al. 2015, section 3.2)."""

    fraction: float = 1.0  # of the iterations
    trained: tuple[Part, ...] = PARTS
    """The parts that learn; all three: the whole network, whatever parts it has. Losses of the others do not count."""
    train_box: Literal["", "truth", "predicted", "jittered", "sampled"] = ""
    """`roi.train_box` in this phase; empty: as it is there."""
    proposals: Literal["own", "frozen"] = "own"  # `frozen`: those of the network as it was when the phase began
    restart: bool = False  # the schedule of the learning rate begins anew, and covers this phase alone

    def __post_init__(self) -> None:
        require(0 < self.fraction <= 1, f"train.phases: a fraction is {self.fraction}: use more than 0, at most 1")
        learning = bool({"rpn", "head"} & set(self.trained))
        require(learning, f"train.phases: a phase trains {list(self.trained)}: add rpn or head, which have the losses")

    def check(self, model: ModelConfig) -> None:
        """Raises UserError where the network cannot be trained so."""
        box = self.train_box or (model.roi.train_box if model.roi else "")
        without = [part for part, there in (("rpn", model.rpn), ("head", model.roi)) if there is None]
        absent = ", ".join(part for part in without if part in self.trained and set(self.trained) != set(PARTS))
        require(not absent, f"train.phases: the network has no {absent}: take it out of `trained`")
        require("head" not in without or not self.train_box, "train.phases: no head crops boxes: leave out `train_box`")
        noisy = self.train_box != "jittered" or (model.roi is not None and model.roi.jitter > 0)
        require(noisy, "train.phases: `train_box: jittered` needs noise: set model.roi.jitter, as to 0.05")
        usable = "rpn" not in without and box in ("predicted", "sampled")
        words = "need an rpn and `train_box: predicted` or `sampled`: set that, or leave out `proposals`"
        require(self.proposals == "own" or usable, f"train.phases: frozen proposals {words}")


@dataclass(frozen=True)
class TrainConfig:
    """How long, how often, on what."""

    iterations: int = 2000
    batch: int = 100
    seed: int = 0
    evaluations: int = 20  # evaluations on the way, spread evenly over the run
    monitor: str = ""
    """The metric on validation data by which the best weights are kept, as `AP`; empty: the last weights are kept."""
    patience: int = 0  # evaluations without a better one after which training ends; 0: never
    minutes: float = 0.0
    """Time for the whole run: `iterations` follow from it, and are corrected on the way; 0: `iterations` decide."""
    evaluation_images: int = 1000  # test or validation images of an evaluation on the way; the last one always uses all
    precision: Precision = "auto"  # bfloat16 where it is measured to be faster, else float32
    overrides: tuple[str, ...] = ()  # what the user set in place of the plan, as `augment.paste=4`
    sync_batchnorm: bool = False  # in training by several processes, on GPUs: statistics of the whole batch
    checkpoint_seconds: float = 20.0  # time between two savings of the full state
    phases: tuple[PhaseConfig, ...] = ()  # one after the other; none: the whole network learns all the time

    def __post_init__(self) -> None:
        at_least("train", self, iterations=1, evaluations=1)
        require(self.batch >= 2, f"train.batch is {self.batch}: BatchNorm needs 2 or more images")
        total = sum(phase.fraction for phase in self.phases)
        require(not self.phases or round(total, 2) == 1, f"train.phases: the fractions sum to {total:g}: make it 1")


@dataclass(frozen=True)
class Config:
    """One run."""

    data: DataConfig = field(default_factory=DataConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        for phase in self.train.phases:
            phase.check(self.model)
        overlap, side = self.data.tile_overlap, self.model.input_size
        require(2 * overlap <= side, f"data.tile_overlap is {overlap}: use at most half of model.input_size, {side}")


def replace(config: Config, **changes: object) -> Config:
    """A copy with other values, named by dotted key with `__` for the dot: replace(c, train__seed=1)."""
    for path, value in changes.items():
        name, _, rest = path.partition("__")
        inner: Any = replace(getattr(config, name), **{rest: value}) if rest else value
        config = dataclasses.replace(config, **{name: inner})
    return config
