"""A small data set, a finished run on it with its exported file, and one that was stopped: made once a process."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from .campaign import Broken
from .limits import command

DATA, RUN, BEGUN = "data", "run", "begun"
FINISHED = ("metrics.json", "weights.safetensors", "last.safetensors", "report.json")  # what a run gets in the end


@cache
def made() -> TemporaryDirectory[str]:
    """The folder with all of it, and the cache of its images."""
    place = TemporaryDirectory(prefix="small-run-")
    train = ["--batch", "4", "--preset", "small", "--precision", "float32", "--set", "train.checkpoint_seconds=1e-6"]
    steps = (
        ["scenes", DATA, "--data", "sample", "--objects", "1-3", "--side", "40", "--images", "12"],
        ["train", DATA, "--iterations", "5", *train, "--out", RUN],
        ["eval", RUN],
        ["export", RUN],
    )
    folder = Path(place.name)
    for words in steps:
        if code := command(words, folder, seconds=300, memory=4 * 10**9).code:
            raise Broken(f"{words} ended with {code}")
    shutil.copytree(folder / RUN, folder / BEGUN, ignore=shutil.ignore_patterns("*.html", "evaluation*", "model.onnx"))
    for name in FINISHED:
        (folder / BEGUN / name).unlink()
    return place


def prepare(shared: Path) -> None:
    """A copy of it. The runs know their data by the path of the first."""
    shutil.copytree(made().name, shared, dirs_exist_ok=True)
