"""The folder of a run: what it holds, and that it can always be trusted.

config.yaml (all settings), env.json (versions, hardware, command), log.jsonl (the points of the curves),
checkpoint.safetensors (the full state, while training), and, once finished, weights.safetensors and metrics.json.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import filelock
import torch
from torch import Tensor

from ..config import Config, replace
from ..data.annotations import SPLITS
from ..errors import UserError
from ..model.faster_rcnn import FasterRCNN
from . import config_file as settings
from .checkpoint import load_into, load_tensors, save_tensors
from .device import choose_device, choose_precision
from .files import cannot_write, leftover, remove_leftovers, require_writable, write_atomically
from .machine import environment

CONFIG, ENVIRONMENT, LOG, METRICS = "config.yaml", "env.json", "log.jsonl", "metrics.json"
SPLITS_FILE = "splits.json"
CHECKPOINT, WEIGHTS, LAST, LOCK = "checkpoint.safetensors", "weights.safetensors", "last.safetensors", ".lock"
REMEDY = "restore it, or delete it and run again"

# Settings that may change between the parts of a run, since they do not change what it ends in.
FREE = {"train.checkpoint_seconds"}


class Run:
    """One folder, one configuration; at most one process writes to it."""

    def __init__(self, folder: Path, config: Config, device: torch.device, command: str = "") -> None:
        """Make the folder or go on in it. Raises UserError when it holds something else or other settings.

        command: how the run was started, which env.json keeps.

        The number format `auto` is decided here, once: a run goes on in the format that it began with.
        """
        require_place(folder)
        before = saved(folder)
        if config.train.precision == "auto":
            chosen = before.train.precision if before else choose_precision("auto", device)
            config = replace(config, train__precision=chosen)
        self.folder, self.config, self.device, self.name = folder, config, device, folder.name
        self.command = command
        if before:
            self.check_settings(before)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{folder} cannot be made ({error.strerror}): choose another folder with --out") from error
        self.guard = filelock.FileLock(folder / LOCK)

    def __enter__(self) -> Run:
        try:
            self.guard.acquire(timeout=0)
        except filelock.Timeout as error:
            raise UserError(
                f"{self.folder} is in use by another program: wait for it, or choose another --out"
            ) from error
        except OSError as error:
            raise cannot_write(self.folder / LOCK, error) from error
        try:
            self.prepare()
        except BaseException:
            self.__exit__()  # Python calls it only after an entry that succeeds
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.guard.release()
        with suppress(OSError):
            (self.folder / LOCK).unlink()

    def prepare(self) -> None:
        """Clear what a killed program left, and say what is run on what."""
        remove_leftovers(self.folder)
        if not (self.folder / CONFIG).is_file():
            known = environment(self.config, self.device) | ({"command": self.command} if self.command else {})
            write_atomically(self.folder / ENVIRONMENT, encode(known))
            write_atomically(self.folder / CONFIG, settings.dump(self.config).encode())

    def extend(self) -> None:
        """Take the asked time or number of iterations over the saved one; a finished run may then go on."""
        if saved(self.folder) == self.config:
            return
        if self.metrics() is not None:
            self.require_checkpoint()
        write_atomically(self.folder / CONFIG, settings.dump(self.config).encode())
        (self.folder / METRICS).unlink(missing_ok=True)

    def require_checkpoint(self) -> None:
        """Raises UserError where a finished run cannot be trained on: then it stays as it is."""
        path = self.folder / CHECKPOINT
        if not path.is_file():
            raise UserError(f"{path} is not there, and without it no run is trained for longer: train again")
        load_tensors(path)

    def check_settings(self, saved_config: Config) -> None:
        """The saved configuration is the asked one, or it is said which setting differs."""
        before, now = (settings.flat(settings.to_dict(config)) for config in (saved_config, self.config))
        for name in sorted(set(before) | set(now)):
            if name not in FREE and before.get(name) != now.get(name):
                raise UserError(
                    f"{self.folder} was started with {name} = {before.get(name)}, now it is {now.get(name)}: "
                    f"{self.same_settings}, or choose another folder with --out"
                )

    @property
    def remedy(self) -> str:
        """How an interrupted run goes on."""
        command = f"`pocketrcnn resume {self.folder}`" if self.resumable else "the same command"
        return f"{command} goes on from here"

    @property
    def same_settings(self) -> str:
        """How to keep to the settings of a run that is there."""
        return f"go on with `pocketrcnn resume {self.folder}`" if self.resumable else "use the same settings"

    @property
    def resumable(self) -> bool:
        """Whether `pocketrcnn resume` is for it: a run on own images, and none of `reproduce`."""
        return self.config.data.kind == "folder"

    def keep_splits(self, split_of: dict[str, str]) -> None:
        """Note the split of each image, by the hash of its content: other images may come and go."""
        if not (self.folder / SPLITS_FILE).is_file():
            write_atomically(self.folder / SPLITS_FILE, encode(split_of))

    def metrics(self) -> dict[str, Any] | None:
        """The final metrics, None while the run is not finished."""
        path = self.folder / METRICS
        if not path.is_file():
            return None
        found = parse(path)
        self.require(METRICS, found, {"metrics", "seconds", "iterations"})
        return found

    def require(self, name: str, found: dict[str, Any], wanted: set[str]) -> None:
        """Raises UserError where what a file of the run holds lacks something."""
        if not wanted <= set(found):
            raise UserError(f"{self.folder / name} is damaged (figures are missing): {self.anew}")

    @property
    def anew(self) -> str:
        """What helps where a file of a finished run cannot be restored: without the others it does not come back."""
        return f"delete the folder {self.folder} and run again"

    def environment(self) -> dict[str, Any]:
        """Versions and hardware that the run was started with."""
        found = parse(self.folder / ENVIRONMENT, f"restore it, or {self.anew}")
        self.require(ENVIRONMENT, found, {"versions", "hardware"})
        return found

    def log_entries(self) -> list[dict[str, Any]]:
        """The points of the curves."""
        path = self.folder / LOG
        remedy = f"restore it, or {self.anew}"
        found = [decode(line, path, remedy) for line in read(path, remedy).splitlines()] if path.is_file() else []
        for point in found:
            self.require(LOG, point, {"iteration", "train", "test"})
        return found

    def log(self, points: list[dict[str, Any]]) -> None:
        """Write all points so far, one line each."""
        write_atomically(self.folder / LOG, "".join(json.dumps(p, sort_keys=True) + "\n" for p in points).encode())

    def save(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        """Save the full state, in place of the one before."""
        save_tensors(self.folder / CHECKPOINT, tensors, facts)

    def checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The saved state, if there is one."""
        path = self.folder / CHECKPOINT
        return load_tensors(path, "delete it to start over") if path.is_file() else None

    def finish(
        self,
        kept: FasterRCNN,
        last: FasterRCNN,
        state: tuple[dict[str, Tensor], dict[str, Any]],
        metrics: dict[str, Any],
        facts: dict[str, Any],
    ) -> None:
        """Save the weights to keep, with facts about them, and metrics. Where the best point was kept, the last weights
        and the full state stay too, to be trained on from there; else the checkpoint is no longer needed."""
        self.save_model(WEIGHTS, kept, **facts)
        if self.config.train.monitor:
            self.save_model(LAST, last)
            self.save(*state)
        write_atomically(self.folder / METRICS, encode(metrics))
        if not self.config.train.monitor:
            (self.folder / CHECKPOINT).unlink(missing_ok=True)

    def save_model(self, name: str, model: FasterRCNN, **facts: Any) -> None:
        """Save a network with its settings, from which it can be built again, and other facts."""
        save_tensors(self.folder / name, model.state_dict(), {"config": settings.to_dict(self.config), **facts})

    def forget_evaluations(self) -> None:
        """Figures of weights that are about to be replaced."""
        for path in self.folder.glob("evaluation-*.json"):
            path.unlink()

    def threshold(self) -> float | None:
        """The score from which on detections are shown: the best one on validation images."""
        return load_tensors(self.folder / WEIGHTS, self.anew)[1].get("threshold")

    def load_model(self) -> FasterRCNN:
        """The trained network, ready to detect."""
        tensors, _ = load_tensors(self.folder / WEIGHTS, self.anew)
        model = FasterRCNN(self.config.model).eval()
        load_into(model, tensors, self.folder / WEIGHTS)
        return model.to(self.device)


def open_run(folder: Path, device: str = "auto") -> Run:
    """The run in a folder, with its own configuration. Raises UserError when there is none."""
    config = saved(folder)
    if config is None:
        raise UserError(f"{folder} is not the folder of a run (it has no {CONFIG}): name one that `train` made")
    return Run(folder, config, choose_device(device))


def open_finished(folder: Path, device: str = "auto") -> Run:
    """The finished run in a folder. Raises UserError when there is none, or it has to go on first."""
    run = open_run(folder, device)
    if run.metrics() is None:
        raise UserError(f"{folder} is not finished: `pocketrcnn resume {folder}` goes on with it")
    return run


def saved(folder: Path) -> Config | None:
    """The configuration of the run in a folder, None where there is none."""
    path = folder / CONFIG
    return settings.load(read(path), str(path)) if path.is_file() else None


def saved_splits(folder: Path) -> dict[str, str] | None:
    """The splits of a run's images, by the hash of their content; None where the run has none of its own."""
    path, remedy = folder / SPLITS_FILE, f"restore it, or delete the folder {folder} and train again"
    if not path.is_file():
        return None
    found = parse(path, remedy)
    if not found or not all(split in SPLITS for split in found.values()):
        raise UserError(f"{path} is damaged (it does not say the splits): {remedy}")
    return found


def require_place(folder: Path) -> None:
    """Raises UserError where a run can neither begin nor go on: the folder holds something else, or cannot be made."""
    if (folder / CONFIG).is_file():
        return
    if folder.exists() and not (folder.is_dir() and all(map(early, folder.iterdir()))):
        raise UserError(f"{folder} holds something else than a run: choose another folder with --out")
    require_writable(folder)


def early(path: Path) -> bool:
    """Whether a file may stand in the folder of a run that was killed before its configuration was written."""
    ours = path.name == ENVIRONMENT and path.is_file() and b'"versions"' in path.read_bytes()
    return ours or path.name == LOCK or leftover(path.name)


def read(path: Path, remedy: str = "restore it or use another folder") -> str:
    """The text of a file, or a UserError that names it."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise UserError(f"{path} cannot be read ({reason}): {remedy}") from error


def parse(path: Path, remedy: str = REMEDY) -> dict[str, Any]:
    """The content of a JSON file, or a UserError that names it."""
    return decode(read(path, remedy), path, remedy)


def decode(text: str, path: Path, remedy: str = REMEDY) -> dict[str, Any]:
    """A JSON object, or a UserError that names the file it comes from."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged (not JSON): {remedy}")
    return content


def encode(content: dict[str, Any]) -> bytes:
    """JSON that people can read."""
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()
