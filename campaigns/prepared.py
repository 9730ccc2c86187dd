"""Data and a finished run that several rows begin with, made once a process and only read."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

from .commands import Desk

LENGTH = 6  # iterations of the run
SHORT = ("--batch", "4", "--preset", "small", "--input-size", "32", "--device", "cpu")
EACH = ("--set", "train.checkpoint_seconds=0")  # a checkpoint after each iteration


@cache
def place() -> Path:
    """The folder of all that is here; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="campaign-"))
    atexit.register(partial(shutil.rmtree, folder, ignore_errors=True))
    return folder


def cache_folder() -> Path:
    """A cache, as a user has one: the number format is decided, and the images are decoded."""
    return place() / "cache"


@cache
def data() -> Path:
    """A data set in COCO format: 12 training images, 1 for validation, 2 for tests."""
    words = ("scenes", "scenes", "--data", "sample", "--objects", "1-2", "--side", "40", "--images", "12")
    Desk(place() / "data", cache_folder()).done(*words)
    return place() / "data" / "scenes"


def train(iterations: int = LENGTH, *more: str, out: str = "run") -> list[str]:
    """The words that train a run on the data."""
    return ["train", str(data()), "--iterations", str(iterations), *SHORT, *EACH, *more, "--out", out]


@cache
def run() -> Path:
    """A finished run of LENGTH iterations. Copy it: see `copied`."""
    Desk(place() / "runs", cache_folder()).done(*train())
    return place() / "runs" / "run"


@cache
def begun() -> Path:
    """The same run, stopped after half of its iterations."""
    desk = Desk(place() / "begun", cache_folder())
    desk.run(*train(), before=[partial(interrupt_after, LENGTH // 2)]).require(130)
    return place() / "begun" / "run"


def copied(source: Path, target: Path) -> Path:
    """A copy of a run."""
    shutil.copytree(source, target)
    return target


def interrupt_after(iterations: int) -> None:
    """In the process of a command: Ctrl-C while the last of so many iterations is under way."""
    before_batches(partial(interrupt, iterations))


def interrupt(iterations: int, iteration: int) -> None:
    """Ctrl-C, where it is time for it."""
    if iteration + 1 == iterations:
        signal.raise_signal(signal.SIGINT)


def traced(where: Path) -> None:
    """In the process of a command: write down the number of each iteration that begins, and the seconds of a processor
    until then. What is written stays when the process is killed."""
    handle = os.open(where, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    before_batches(lambda iteration: os.write(handle, f"{iteration} {time.process_time()}\n".encode()))


def iterations_begun(where: Path) -> dict[int, float]:
    """What `traced` has written: seconds by the number of the iteration."""
    lines = where.read_text(encoding="utf-8").splitlines() if where.is_file() else []
    return {int(number): float(seconds) for number, seconds in map(str.split, lines)}


def before_batches(act: Any) -> None:
    """Call `act` with the number of each iteration before its batch is made."""
    from pocketrcnn.training.loop import Trainer

    batch = Trainer.batch

    def acting(self: Trainer, iteration: int) -> Any:
        act(iteration)
        return batch(self, iteration)

    Trainer.batch = acting  # type: ignore[method-assign]
