"""The options of `reproduce`, each once: name, type, default and help. No torch here.

`Annotated[type, ..]` holds what the command line needs besides, see `cli.options`.
"""

from __future__ import annotations

import dataclasses
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

from ..config import BACKGROUNDS, Precision
from ..errors import UserError, nearest, require
from ..training.threads import Threads, require_threads
from .experiments import FULL, NETWORKS, RECIPES, Experiment

SOURCES = ("cifar10", "sample")

LAST = 2**31  # a seed that leaves room for those behind it

FEW = "3, and 5 where these leave one undecided"

Backgrounds = Annotated[
    str,
    "FOLDER",
    "take the backgrounds of scenes from CIFAR-100's train.bin and test.bin there (default: other images of the data)",
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `reproduce` is given. only: ids of experiments with commas between, empty: the default ones.

    iterations None: those of the schedule. command: the command line, for results.json.
    """

    full: Annotated[bool, "train for 2,000 iterations each, as in the course (default: short schedules)"] = False
    recipe: Annotated[str, (*RECIPES, "both"), "pocket: that of this project; course: the published procedure"] = (
        "pocket"
    )
    only: Annotated[str, "IDS", "only these experiments, as in B1,F2, or observations: A1 to A7, A for all"] = ""
    seeds: Annotated[
        int | None, "N", f"runs with different random numbers, for mean and spread (default: 1; observations: {FEW})"
    ] = None
    seed: Annotated[int, "N", "the first random seed: with another one, other numbers of the same spread"] = 0
    workers: Annotated[int | None, "N", "runs side by side, one thread each (default: as measured to be faster)"] = None
    precision: Annotated[Precision, "number format of training (default: bfloat16 where it is clearly faster)"] = "auto"
    iterations: Annotated[int | None, "N", "another number of iterations for every experiment"] = None
    batch: Annotated[int, "N", "images per iteration"] = 100
    checkpoint: Annotated[float, "SECONDS", "time between two checkpoints"] = 20.0
    threads: Threads = None
    device: Annotated[str, "DEVICE", "auto, cpu or cuda"] = "auto"
    data: Annotated[
        str, "DATA", "cifar10, sample (part of the package), or a folder of scenes in the course's layout"
    ] = "cifar10"
    backgrounds: Backgrounds = ""
    out: Annotated[Path, "DIR", "output folder"] = Path("reproduction")
    command: str = "pocketrcnn reproduce"

    def __post_init__(self) -> None:
        require(self.seeds is None or self.seeds >= 1, f"--seeds {self.seeds}: use 1 or more")
        require(0 <= self.seed <= LAST, f"--seed {self.seed}: use a number from 0 to {LAST}")
        require(self.workers is None or self.workers >= 1, f"--workers {self.workers}: use 1 or more")
        require_threads(self.threads, self.workers)
        formats = get_args(Precision)
        require(self.precision in formats, f"--precision {self.precision}: use {', '.join(formats)}")
        iterations = self.iterations
        require(iterations is None or iterations >= 1, f"--iterations {iterations}: use 1 or more")
        require(self.batch >= 2, f"--batch {self.batch}: use 2 or more images, BatchNorm needs them")
        valid = math.isfinite(self.checkpoint) and self.checkpoint >= 0
        require(valid, f"--checkpoint {self.checkpoint:g}: use 0 or more seconds, a finite number")
        if self.data not in SOURCES and not Path(os.path.expanduser(self.data)).is_dir():
            known = ", ".join(SOURCES)
            raise UserError(f"--data {self.data}: no such folder{nearest(self.data, SOURCES)}; use {known} or a folder")
        with_backgrounds(self.data, self.backgrounds)
        if self.full and iterations is not None:
            raise UserError(f"--full means {FULL} iterations: leave out --iterations, or leave out --full")

    def resolved(self) -> Options:
        """The same with folders of data under their full names, by which results know them from everywhere."""
        data, backgrounds = (
            path if path in ("", *SOURCES) else os.path.realpath(os.path.expanduser(path))
            for path in (self.data, self.backgrounds)
        )
        return dataclasses.replace(self, data=data, backgrounds=backgrounds)

    @property
    def schedule(self) -> str:
        """How the number of iterations was chosen."""
        return "full" if self.full else "short" if self.iterations is None else "custom"

    def iterations_of(self, experiment: Experiment) -> int:
        """Iterations of one experiment."""
        return FULL if self.full else self.iterations if self.iterations is not None else experiment.short

    def source_of(self, experiment: Experiment) -> str:
        """Scenes stand on the backgrounds. A folder holds scenes; plain images are then those of CIFAR-10."""
        if NETWORKS[experiment.network].rpn is None:
            return self.data if self.data in SOURCES else "cifar10"
        return with_backgrounds(self.data, self.backgrounds)


def with_backgrounds(source: str, backgrounds: str) -> str:
    """A source whose scenes stand on the images of CIFAR-100 in the folder `backgrounds`; the source alone without one.

    Raises UserError where the files are not there, and for a folder of scenes, which have their backgrounds.
    """
    if not backgrounds:
        return source
    if source not in SOURCES:
        raise UserError(f"--backgrounds cannot change the scenes of --data {source}: leave one of the two out")
    from .data.cifar import CIFAR100_RECORDS  # torch

    if missing := [name for name in CIFAR100_RECORDS if not Path(os.path.expanduser(backgrounds), name).is_file()]:
        names = " and ".join(CIFAR100_RECORDS)
        raise UserError(f"--backgrounds {backgrounds}: {missing[0]} is missing: name a folder with CIFAR-100's {names}")
    return f"{source}{BACKGROUNDS}{backgrounds}"
