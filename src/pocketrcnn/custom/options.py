"""The options of commands that have several, each once: name, type, default and help. No torch here.

`Annotated[type, ..]` holds what the command line needs besides, see `cli.options`.
"""

import dataclasses
import math
import os
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args, get_origin

from ..config import DataConfig, Pages, Precision
from ..errors import UserError, nearest, require, shown
from ..training.limits import LIMITS
from ..training.threads import Threads, require_threads

LARGEST_INPUT = LIMITS["model.input_size"]
STEP = 16  # pixels: the input size is a multiple of it, the largest stride of Table 3
DEFAULT_MINUTES = 5.0
SEEDS = 2**32
TIMEOUT = 300.0  # seconds for a batch in an exported file, which can hold a loop without an end

Anchors = tuple[tuple[float, float], ...]
Tiles = Literal["auto", "off"] | int
Preset = Literal["auto", "small", "medium", "large"]
Data = Annotated[Path, "DATA", "folder, or JSON, data.yaml, XML or CSV file, in COCO, Pascal VOC, YOLO or CSV format"]
VocOrigin = Annotated[Literal[0, 1], "N", "first pixel in VOC boxes: 0, as most programs write them, or 1, as in VOC"]
BBox = Annotated[
    Literal["auto", "xyxy", "xywh", "cxcywh", "yxyx", "yxhw"],
    "what the four numbers of a box are, where that is not what the format says: corners, a corner or the centre with "
    "width and height, y first (default: as the format says; refused where these do not fit)",
]
BoxUnits = Annotated[
    Literal["auto", "pixels", "fractions"],
    "units of boxes: pixels, or fractions of the image's sides (default: what fits)",
]
FollowOutside = Annotated[
    bool, "also read files outside of the folder that annotations and links lead to: only if you trust who made them"
]
DataPages = Annotated[
    Pages,
    "of files of several pages or frames: the first, each by the name that annotations give it (a.tif[2]), or their "
    "maximum or mean",
]
Device = Annotated[str, "DEVICE", "auto, cpu or cuda"]
SEVERAL = "N runs that differ in the seed alone (SEED, SEED + 1, ..), in one folder, with mean and spread"
PIXELS = "widths and heights of anchors in pixels of the input"
ROTATE = "also rotate images by multiples of 90 degrees and flip them upside down"
TILES = "images larger than the input: off: downscale them; SIDE: cut them into tiles of so many pixels, a multiple of"
PRECISION = "number format of training (default: bfloat16 where this processor is clearly faster in it)"
BATCH = "default: 2 to 64, from the size and number of the images"
PATIENCE = "a run has 3 to 12; default: never"
TENSORBOARD = "also write the figures of log.jsonl to the run for TensorBoard (needs the extra `tensorboard`)"
SETTING = "change a setting that the plan chose (config.yaml of a run lists them)"


def require_words(**given: tuple[object, object]) -> None:
    """Raises UserError for a word that an option does not know: `bbox=(value, BBox)`, for each option."""
    for name, (value, kind) in given.items():
        words = get_args(get_args(kind)[0] if get_origin(kind) is Annotated else kind)
        known = ", ".join(map(str, words))
        require(value in words, f"--{name.replace('_', '-')} {shown(value)}: use {known}{nearest(str(value), words)}")


def parse_anchors(text: str) -> Anchors:
    """`12x12,24x16` as pairs of finite numbers above 0."""
    try:
        pairs = [tuple(float(side) for side in part.lower().split("x")) for part in text.split(",")]
        anchors = tuple((width, height) for width, height in pairs)
    except ValueError:
        anchors = ()
    valid = anchors and all(0 < side < math.inf for anchor in anchors for side in anchor)
    require(bool(valid), f"--anchors {text}: write widths and heights above 0, as in 12x12,24x16")
    return anchors


def parse_tiles(text: str | int) -> Tiles:
    """`auto`, `off`, or the side of tiles in pixels."""
    for word in get_args(get_args(Tiles)[0]):
        if text == word:
            return word  # type: ignore[no-any-return]
    try:
        return int(text)
    except ValueError:
        raise UserError(f"--tiles {shown(text)}: use auto, off, or a side in pixels, as 256") from None


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How a data set is read: what its files do not say themselves."""

    voc_origin: VocOrigin = 0
    bbox: BBox = "auto"
    units: BoxUnits = "auto"
    follow_outside: FollowOutside = False
    pages: DataPages = "first"

    def __post_init__(self) -> None:
        require_words(bbox=(self.bbox, BBox), units=(self.units, BoxUnits), voc_origin=(self.voc_origin, VocOrigin))
        require_words(pages=(self.pages, DataPages))

    def source(self, data: str | os.PathLike[str]) -> DataConfig:
        """A data set that is read so."""
        numbers = self.voc_origin, self.bbox, self.units
        return DataConfig(os.fspath(data), "folder", (), *numbers, self.follow_outside, pages=self.pages)


@dataclass(frozen=True)
class TrainOptions(ReadOptions):
    """What `train` is given. anchors, input_size and batch None: they follow from the data.

    command: how the run was started; empty: the call of `pocketrcnn.train` with these options.
    """

    function: ClassVar[str] = "train"  # of `pocketrcnn`, which takes these options
    data: Data
    _: KW_ONLY
    minutes: Annotated[float | None, "M", "time for the whole run (default: 5)"] = None
    iterations: Annotated[int | None, "N", "train for N iterations instead of a time"] = None
    preset: Annotated[Preset, "size of the network; auto: the largest that the time allows"] = "auto"
    out: Annotated[Path | None, "RUN", "folder of the run (default: runs/NAME of the data, or NAME-2, ..)"] = None
    seed: Annotated[int, "N", "seed of the random numbers"] = 0
    seeds: Annotated[int | None, "N", f"{SEVERAL}; with --minutes each has the whole machine for M minutes"] = None
    workers: Annotated[int | None, "N", "with --seeds and --iterations: runs at a time (default: what is faster)"] = (
        None
    )
    anchors: Annotated[Anchors | None, parse_anchors, "LIST", f"{PIXELS}, as in 12x12,24x16 (default: fitted)"] = None
    input_size: Annotated[int | None, "PX", f"side of the input, a multiple of {STEP} (default: from the data)"] = None
    tiles: Annotated[Tiles, parse_tiles, "auto|off|SIDE", f"{TILES} {STEP} (default: auto, from the data)"] = "auto"
    batch: Annotated[int | None, "N", f"images per iteration ({BATCH})"] = None
    rotate: Annotated[bool, f"{ROTATE}: for images without up and down (microscopes, satellites)"] = False
    settings: Annotated[tuple[str, ...], "--set", "NAME=VALUE", f"{SETTING}, as in augment.paste=4"] = ()
    force: Annotated[bool, "train although more than half of the objects are left out"] = False
    precision: Annotated[Precision, PRECISION] = "auto"
    patience: Annotated[int, "N", f"stop after N evaluations without improvement ({PATIENCE})"] = 0
    tensorboard: Annotated[bool, TENSORBOARD] = False
    threads: Threads = None
    device: Device = "auto"
    command: str = ""

    def __post_init__(self) -> None:
        check_length(self.minutes, self.iterations)
        super().__post_init__()
        require(not isinstance(self.settings, str), f"settings are several: write settings=({self.settings!r},)")
        presets = get_args(Preset)
        formats = get_args(Precision)
        require(self.precision in formats, f"--precision {self.precision}: use {', '.join(formats)}")
        require(self.preset in presets, f"--preset {self.preset}: use {', '.join(presets)}")
        require(0 <= self.seed < SEEDS, f"--seed {self.seed}: use a number from 0 to {SEEDS - 1}")
        check_seeds(self)
        require_threads(self.threads, self.workers)
        batch = self.batch
        for name, size in (("input-size", self.input_size), ("tiles", self.tiles)):
            valid = not isinstance(size, int) or (LARGEST_INPUT >= size >= STEP and size % STEP == 0)
            require(valid, f"--{name} {shown(size)}: use a multiple of {STEP} pixels, at most {LARGEST_INPUT}")
        words = self.tiles in ("auto", "off") or isinstance(self.tiles, int)
        require(words, f"--tiles {shown(self.tiles)}: use auto, off, or a side in pixels, as 256")
        require(batch is None or batch >= 2, f"--batch {batch}: use 2 or more images, BatchNorm needs them")
        require(self.patience >= 0, f"--patience {self.patience}: use 0 (never stop early) or more evaluations")

    @property
    def budget(self) -> float:
        """Minutes; 0 where the number of iterations decides."""
        return 0.0 if self.iterations else self.minutes or DEFAULT_MINUTES

    def require_workers(self) -> None:
        """Raises UserError where there are no runs that could be trained side by side."""
        alone = (
            f"--workers {self.workers}: leave it out, only runs of --seeds with --iterations are trained side by side"
        )
        require(self.workers is None or (self.seeds is not None and self.iterations is not None), alone)

    @property
    def call(self) -> str:
        """The call of the function of `pocketrcnn` with these options."""
        return self.call_without()

    def call_without(self, *names: str) -> str:
        """The same without the options of these names."""
        given = {
            field.name: str(value) if isinstance(value, Path) else value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default and field.name not in ("data", "command", *names)
        }
        words = [f"{name}={value!r}" for name, value in given.items()]
        return f"pocketrcnn.{self.function}({', '.join([repr(str(self.data)), *words])})"


def check_length(minutes: float | None, iterations: int | None) -> None:
    """Raises UserError for a length of training that is impossible, or given twice."""
    if minutes is not None and iterations is not None:
        raise UserError("--minutes and --iterations both say how long to train: use only one of them")
    if minutes is not None and not 0 < minutes < math.inf:
        raise UserError(f"--minutes {minutes:g}: use a time above 0")
    if iterations is not None and iterations < 1:
        raise UserError(f"--iterations {iterations}: use 1 or more")


def check_seeds(options: TrainOptions) -> None:
    """Raises UserError for a set of runs that cannot be, and for what belongs to a set alone."""
    seeds, workers, fixed = options.seeds, options.workers, ("train.seed=", "data.seed=")
    require(seeds is None or seeds >= 1, f"--seeds {seeds}: use 1 or more")
    last = SEEDS - 1
    require(options.seed + (seeds or 1) <= SEEDS, f"--seeds {seeds}: there is no seed above {last}, use fewer")
    given = next((setting for setting in options.settings if setting.startswith(fixed)), "")
    require(seeds is None or not given, f"--set {given} and --seeds contradict each other: begin with --seed instead")
    require(workers is None or workers >= 1, f"--workers {workers}: use 1 or more")
    options.require_workers()


PAGES = (
    "of files of several pages or frames: the first, each as an image, or their maximum or mean (default: as trained)"
)
PIXEL_SIZE = "micrometres a pixel, as in 0.65: tables get columns in micrometres, too"
IDS = "results get its image ids, by file name, and its category ids, by class name"
PICTURES = "a picture of each image with its boxes (default: pictures; in parts none)"
LISTED = "in parts: images from a file with the path of one in each line, - for standard input"
PART_SIZE = "in parts: images of a part (default: 2000, or a 32nd of the images)"
SHARD = "in parts: of each N parts the one of number I, from 0/N on; under torchrun it follows from the rank"
FORMAT = "in parts: how they are written, as JSON lines or, with the extra `parquet`, as Parquet (default: jsonl)"
WORKERS = "in parts: N processes of one thread each"

PartFormat = Literal["jsonl", "parquet"]
Shard = tuple[int, int]
"""The number of a share, counted from 0, and how many shares there are."""


def parse_shard(text: str) -> Shard:
    """`3/16` as a share of the parts."""
    index, _, count = text.partition("/")
    try:
        shard = int(index), int(count)
    except ValueError:
        raise UserError(f"--shard {shown(text)}: write number and count, from 0/3 to 2/3") from None
    require_shard(shard)
    return shard


def require_shard(shard: Shard) -> None:
    """Raises UserError for a share that is none."""
    index, count = shard
    last = f"from 0/{count} to {count - 1}/{count}" if count > 0 else "from 0/3 to 2/3"
    require(0 <= index < count, f"--shard {index}/{count}: there is none, shards are {last}")


@dataclass(frozen=True, kw_only=True)
class PredictOptions:
    """What `predict` writes. out None: the first free of predictions, predictions-2, .. threshold in 0..1, None: the
    detector's. ids: a COCO file of the same images and classes, whose ids the results get. pixel_size: micrometres.

    part_size, shard, workers, listed, part_format: any of them makes it work in parts. pictures None: but in parts.
    """

    threshold: Annotated[float | None, "T", "minimum score (default: that of best F1 on validation images)"] = None
    ids: Annotated[Path | None, "FILE", f"COCO annotation file: {IDS} (default: counted from 1)"] = None
    out: Annotated[Path | None, "DIR", "a new folder (default: predictions, predictions-2, ..)"] = None
    pixel_size: Annotated[float | None, "UM", PIXEL_SIZE] = None
    pages: Annotated[Pages | None, PAGES] = None
    pictures: Annotated[bool | None, PICTURES] = None
    save_crops: Annotated[bool, "also write each object as an image, to crops/CLASS"] = False
    batch: Annotated[int, "N", "images per forward pass"] = 4
    threads: Threads = None
    part_size: Annotated[int | None, "N", PART_SIZE] = None
    shard: Annotated[Shard | None, parse_shard, "I/N", SHARD] = None
    workers: Annotated[int | None, "N", WORKERS] = None
    listed: Annotated[Path | None, "--list", "FILE", LISTED] = None
    part_format: Annotated[PartFormat | None, FORMAT] = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UserError(f"--threshold {self.threshold:g}: use a score from 0 to 1")
        if self.pages is not None:
            require_words(pages=(self.pages, Pages))
        if self.part_format is not None:
            require_words(part_format=(self.part_format, PartFormat))
        require(self.batch >= 1, f"--batch {self.batch}: use 1 or more images")
        length = self.pixel_size
        known = length is None or 0 < length < math.inf
        require(known, f"--pixel-size {length}: use micrometres above 0, as in --pixel-size 0.65")
        require(self.part_size is None or self.part_size >= 1, f"--part-size {self.part_size}: use 1 or more images")
        require(self.workers is None or self.workers >= 1, f"--workers {self.workers}: use 1 or more")
        require_threads(self.threads, self.workers)
        if self.shard is not None:
            require_shard(self.shard)
        if self.in_parts:
            without = "in parts the folder has a name, so that the same command goes on there: add --out OUT"
            require(self.out is not None, without)
            require(self.ids is None, "--ids in parts: leave it out, and give it to `pocketrcnn merge OUT --ids FILE`")

    @property
    def in_parts(self) -> bool:
        """Whether results are written part by part."""
        deciding = (self.part_size, self.shard, self.workers, self.listed, self.part_format)
        return any(given is not None for given in deciding)

    @property
    def draws(self) -> bool:
        """Whether there is a picture of each image."""
        return not self.in_parts if self.pictures is None else self.pictures
