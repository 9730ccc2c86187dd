"""Commands that write, with what they begin with, and what they leave behind when nothing goes wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pocketrcnn.training.run import METRICS, WEIGHTS, open_finished

from . import prepared, run_folders, small_cifar
from .campaign import Broken
from .commands import Before, Desk
from .file_operations import Operation, noted


def nothing(folder: Path) -> None:
    """A user's folder that is empty."""


def a_run(folder: Path) -> None:
    """A finished run."""
    prepared.copied(prepared.run(), folder / "run")


def half_a_run(folder: Path) -> None:
    """A run that was interrupted."""
    prepared.copied(prepared.begun(), folder / "run")


def a_cache(folder: Path) -> None:
    """A cache that knows the processor, and no images."""
    prepared.run()  # it has measured it
    (folder / "cache").mkdir()
    shutil.copy(prepared.cache_folder() / "machine.json", folder / "cache")


def an_archive(folder: Path) -> None:
    """A copy of CIFAR-10 that the user has."""
    small_cifar.archive(folder / "copy.tar.gz")


@dataclass(frozen=True)
class Job:
    """A command. words: after `pocketrcnn`. begin: fills the user's folder. own_cache: the cache is in it, too.

    whole: it makes one folder, which is there with all files or not at all. steps: it writes some files several times,
    so that in between they are neither as before nor as after. clear: a folder that the user removes before trying
    again, as nothing is overwritten.
    """

    words: Callable[[], list[str]]
    begin: Callable[[Path], None] = nothing
    own_cache: bool = False
    whole: bool = False
    steps: bool = False
    clear: str = ""
    before: Callable[[], tuple[Before, ...]] = tuple

    def desk(self, folder: Path) -> Desk:
        """A user's folder with what the job begins with."""
        desk = Desk(folder, folder / "cache" if self.own_cache else prepared.cache_folder())
        self.begin(folder)
        return desk


def converted(to: str) -> Job:
    """A copy of the data in a format."""
    return Job(lambda: ["convert", str(prepared.data()), "copy", "--to", to], whole=True)


def images() -> str:
    """The training images."""
    return str(prepared.data() / "train")


JOBS = {  # the fastest first
    "convert to COCO": converted("coco"),
    "fix": Job(lambda: ["check", str(prepared.data()), "--fix", "fixed"], whole=True),
    "download": Job(
        lambda: ["download", "cifar10", "--from", "copy.tar.gz"],
        an_archive,
        own_cache=True,
        before=lambda: (small_cifar.official(),),
    ),
    "extend": Job(lambda: ["resume", "run", "--iterations", str(prepared.LENGTH + 2)], a_run, steps=True),
    "convert to VOC": converted("voc"),
    "eval": Job(lambda: ["eval", "run"], a_run),
    "convert to YOLO": converted("yolo"),
    "train": Job(lambda: prepared.train(3), a_cache, own_cache=True, steps=True),
    "report": Job(lambda: ["report", "run"], a_run),
    "resume": Job(lambda: ["resume", "run"], half_a_run, steps=True),
    "scenes": Job(
        lambda: ["scenes", "many", "--data", "sample", "--objects", "1-2", "--side", "40", "--images", "10"],
        whole=True,
    ),
    "predict": Job(
        lambda: ["predict", str(prepared.run()), images(), "--out", "found", "--save-crops", "--threshold", "0"],
        steps=True,
        clear="found",
    ),
    "export": Job(lambda: ["export", "run"], a_run),
    "explain": Job(lambda: ["explain", "run", "--out", "explained.html"], a_run),
}


class Reference(NamedTuple):
    """What a job does when it is left alone: files before and after, with their hashes, and its file operations."""

    old: dict[str, str]
    new: dict[str, str]
    operations: tuple[Operation, ...]
    code: int


@cache
def reference(name: str) -> Reference:
    """The job, carried out once a process."""
    job, folder = JOBS[name], prepared.place() / name.replace(" ", "-")
    desk = job.desk(folder / "desk")
    old, notes = run_folders.contents(desk.folder), folder / "operations"
    answer = desk.run(*job.words(), before=[*job.before(), noted((desk.folder,), notes)]).require(0, 1)
    lines = notes.read_text(encoding="utf-8").splitlines()
    operations = tuple(Operation(*line.split(" ", 1)) for line in lines)
    return Reference(old, run_folders.contents(desk.folder), operations, answer.code)


def require_old_or_new(name: str, folder: Path) -> None:
    """Raises Broken where what is in a user's folder is neither as before a job nor as after it."""
    job, known = JOBS[name], reference(name)
    found, (old, new) = run_folders.finished(run_folders.contents(folder)), map(run_folders.finished, known[:2])
    if job.steps:
        require_usable(folder / "run", name in ("extend", "resume"))
    elif job.whole:
        run_folders.require_same(found, new if len(found) > len(old) else old, f"{name}: half of it is there")
    else:
        mixed = {path: found.get(path) in (old.get(path), new.get(path)) for path in found.keys() | old.keys()}
        run_folders.require_same(mixed, dict.fromkeys(mixed, True), f"{name}: neither old nor new")


def require_usable(run: Path, begun: bool) -> None:
    """Raises UserError where the checkpoint of a run that was stopped, or the network of one that was finished, cannot
    be used. begun: it had a checkpoint."""
    if run_folders.saved_iteration(run) == 0 and begun:
        raise Broken("the checkpoint is gone")
    if (run / WEIGHTS).is_file() and (run / METRICS).is_file():
        open_finished(run, "cpu").load_model()


def require_done(name: str, desk: Desk) -> None:
    """The job once more, with nothing in its way. Raises Broken where it does not end in the files of the reference."""
    job, known = JOBS[name], reference(name)
    if job.clear:
        shutil.rmtree(desk.folder / job.clear, ignore_errors=True)
    desk.done(*job.words(), before=job.before(), codes=(known.code,))
    found = run_folders.finished(run_folders.contents(desk.folder))
    run_folders.require_same(found, run_folders.finished(known.new), f"{name}, done again")
