"""The folder of a run: what it holds, and that it can always be trusted.

config.yaml (all settings), env.json (versions, hardware, command), log.jsonl (evaluations on the way),
checkpoint.safetensors (the full state, while training), and, once finished, weights.safetensors and metrics.json.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..config import Config, replace
from ..data.annotations import SPLITS
from ..data.files import LOCK, OUT, is_unfinished, locked, remove, require_writable, write_atomically
from ..data.json_text import decoded
from ..errors import UserError
from ..evaluation.network import Compared
from ..model.faster_rcnn import FasterRCNN
from . import config_file as settings
from . import forms, schema1
from .checkpoint import load_into, load_tensors, save_tensors
from .device import choose_device, choose_precision
from .forms import require_form
from .machine import environment

CONFIG, ENVIRONMENT, LOG, METRICS = "config.yaml", "env.json", "log.jsonl", "metrics.json"
SPLITS_FILE = "splits.json"
CHECKPOINT, WEIGHTS, LAST = "checkpoint.safetensors", "weights.safetensors", "last.safetensors"
REMEDY = "restore it, or delete it and run again"
ELSEWHERE = "copy the run to another place"  # what helps a run that has begun and cannot be written
COPIES = 8  # of the weights in a finished run: in its checkpoint networks and states of optimisers, and two files

# Settings that may change between the parts of a run, since they do not change what it ends in.
FREE = {"train.checkpoint_seconds"}


class Run:
    """One folder, one configuration; at most one process writes to it."""

    def __init__(
        self, folder: Path, config: Config, device: torch.device, command: str = "", before: Config | None = None
    ) -> None:
        """A new folder, or one to go on in. Raises UserError when it holds something else or other settings.

        command: how the run was started, for env.json. before: the configuration saved there, where it has just been
        read, since others may replace it. The precision `auto` is decided once, when a run begins.
        """
        require_place(folder)
        before = before or saved(folder)
        if config.train.precision == "auto":
            chosen = before.train.precision if before else choose_precision("auto", device)
            config = replace(config, train__precision=chosen)
        self.folder, self.config, self.device, self.name = folder, config, device, folder.name
        self.command = command
        if before:
            self.check_settings(before)
        self.another = ELSEWHERE if before else OUT
        self.compared: dict[str, Compared] = {}  # by split, of the evaluations in this process: for its report
        self.held = ExitStack()

    def __enter__(self) -> Run:
        with ExitStack() as held:
            held.enter_context(locked(self.folder / LOCK, another=self.another))
            if not (self.folder / CONFIG).is_file():
                known = environment(self.config, self.device) | ({"command": self.command} if self.command else {})
                self.write(ENVIRONMENT, encode(known))
                self.write(CONFIG, settings.dump(self.config).encode())
            self.held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.held.close()

    def extend(self) -> None:
        """Replace the saved time or number of iterations by that of this call; a finished run may then go on.

        Until it is as long, its network and its metrics stay, with the length that they are of: whenever this stops,
        the run is either finished as it was or goes on. Raises UserError where a finished run cannot: then it stays.
        """
        before = saved(self.folder)
        if before == self.config:
            return
        longer = before and requested(before) != requested(self.config)
        if before and longer and (metrics := self.metrics(any_length=True)):
            path = self.folder / CHECKPOINT
            if not path.is_file():
                raise UserError(f"{path} is not there, and without it no run is trained for longer: train again")
            load_tensors(path)
            self.write(METRICS, encode({"requested": requested(before), **metrics}))
        self.write(CONFIG, settings.dump(self.config).encode())

    def write(self, name: str, content: bytes) -> None:
        """Write the file `name` with this content, whole or not at all."""
        write_atomically(self.folder / name, content, self.another)

    def check_settings(self, saved_config: Config) -> None:
        """Raises UserError where the saved configuration is another one, and names the setting that differs."""
        before, now = (settings.flat(settings.to_dict(config)) for config in (saved_config, self.config))
        remedy = f"go on with `pocketrcnn resume {self.folder}`" if self.resumable else "use the same settings"
        for name in sorted(set(before) | set(now)):
            if name not in FREE and before.get(name) != now.get(name):
                raise UserError(
                    f"{self.folder} was started with {name} = {before.get(name)}, now it is {now.get(name)}: "
                    f"{remedy}, or choose another folder with --out"
                )

    @property
    def remedy(self) -> str:
        """How an interrupted run goes on."""
        command = f"`pocketrcnn resume {self.folder}`" if self.resumable else "the same command"
        return f"{command} goes on from here"

    @property
    def resumable(self) -> bool:
        """Whether `pocketrcnn resume` is for it: a run on custom data, and none of `reproduce`."""
        return self.config.data.kind == "folder"

    def keep_splits(self, split_of: dict[str, str]) -> None:
        """Write down the split_of each image, by the hash of its content: other images may come and go."""
        if not (self.folder / SPLITS_FILE).is_file():
            self.write(SPLITS_FILE, encode(split_of))

    def metrics(self, any_length: bool = False) -> dict[str, Any] | None:
        """The final metrics, None while the run is not finished.

        any_length: also those of the network that is there while the run is trained for longer.
        """
        path = self.folder / METRICS
        if not path.is_file():
            return None
        content = parse(path)
        self.require(METRICS, content, {"metrics", "seconds", "iterations"})
        require_form(content, forms.Metrics, path, self.anew)
        if content.get("requested", requested(self.config)) != requested(self.config) and not any_length:
            return None
        return content | {"metrics": schema1.current_names(content["metrics"])}

    def require(self, name: str, content: dict[str, Any], keys: set[str]) -> None:
        """Raises UserError where the content of the file `name` of the run lacks one of the keys."""
        if not keys <= set(content):
            raise UserError(f"{self.folder / name} is damaged (metrics are missing): {self.anew}")

    @property
    def anew(self) -> str:
        """What helps where a file of a finished run cannot be restored: without the others it does not come back."""
        return f"delete the folder {self.folder} and run again"

    def environment(self) -> dict[str, Any]:
        """Versions and hardware that the run was started with."""
        path, remedy = self.folder / ENVIRONMENT, f"restore it, or {self.anew}"
        content = parse(path, remedy)
        require_form(content, forms.Environment, path, remedy)
        return content

    def log_entries(self) -> list[dict[str, Any]]:
        """The evaluations on the way, with the training metrics before them."""
        path = self.folder / LOG
        remedy = f"restore it, or {self.anew}"
        entries = [decode(line, path, remedy) for line in read(path, remedy).splitlines()] if path.is_file() else []
        for entry in entries:
            require_form(entry, forms.Entry, path, remedy)
        return list(map(schema1.current_names, entries))

    def log(self, entries: list[dict[str, Any]]) -> None:
        """Write all entries so far, one line each."""
        self.write(LOG, "".join(json.dumps(e, sort_keys=True) + "\n" for e in entries).encode())

    def save(self, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
        """Save the full state, tensors [...] by name and metadata, in place of the one before."""
        save_tensors(self.folder / CHECKPOINT, tensors, metadata, self.another)

    def checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The saved state, tensors [...] by name and metadata, if there is one."""
        path = self.folder / CHECKPOINT
        return load_tensors(path, "delete it to start over") if path.is_file() else None

    def finish(self, kept: FasterRCNN, last: FasterRCNN, metrics: dict[str, Any], metadata: dict[str, Any]) -> None:
        """Save the weights to keep, with their metadata, and metrics. Where the best network was kept, the last weights
        and the full state stay too, so that training can go on from there; else the checkpoint is no longer needed."""
        self.save_model(WEIGHTS, kept, **metadata)
        if self.config.train.monitor:
            self.save_model(LAST, last)
        self.write(METRICS, encode(metrics))
        if not self.config.train.monitor:
            remove(self.folder / CHECKPOINT)

    def save_model(self, name: str, model: FasterRCNN, **metadata: Any) -> None:
        """Save a network as the file `name` with its settings, from which it can be built again, and other metadata."""
        content = {"config": settings.saved(self.config), **metadata}
        save_tensors(self.folder / name, model.state_dict(), content, self.another)

    def forget_evaluations(self) -> None:
        """Remove the evaluations of weights that are about to be replaced."""
        for path in self.folder.glob("evaluation-*.json"):
            remove(path)

    def load_model(self) -> tuple[FasterRCNN, float | None]:
        """The trained network, ready to detect, and the score from which on its detections are shown: the best one on
        validation images."""
        tensors, metadata = load_tensors(self.folder / WEIGHTS, self.anew)
        model = FasterRCNN(self.config.model).eval()
        load_into(model, tensors, self.folder / WEIGHTS)
        return model.to(self.device), threshold_of(metadata, self.folder / WEIGHTS, self.anew)


def threshold_of(metadata: dict[str, Any], path: Path, remedy: str) -> float | None:
    """The score from which on detections are shown, as a file of weights says; None where it says nothing."""
    threshold = metadata.get("threshold")
    if threshold is not None and not (isinstance(threshold, int | float) and 0 <= threshold <= 1):
        raise UserError(f"{path} is damaged (its threshold is no score): {remedy}")
    return threshold


def open_run(folder: Path, device: str = "auto") -> Run:
    """The run in a folder, with the configuration saved there. Raises UserError when there is none."""
    config = saved(folder)
    if config is None:
        raise UserError(f"{folder} is not the folder of a run (it has no {CONFIG}): name one that `train` made")
    return Run(folder, config, choose_device(device), before=config)


def open_finished(folder: Path, device: str = "auto") -> Run:
    """The finished run in a folder, also one that is trained for longer now. Raises UserError when there is none, or it
    has to go on first."""
    run = open_run(folder, device)
    if run.metrics(any_length=True) is None:
        raise UserError(f"{folder} is not finished: `pocketrcnn resume {folder}` goes on with it")
    return run


def requested(config: Config) -> list[float]:
    """The length that a configuration asks for: minutes and iterations."""
    return [config.train.minutes, config.train.iterations]


def saved(folder: Path) -> Config | None:
    """The configuration of the run in a folder, None where there is none."""
    path = folder / CONFIG
    return settings.load(read(path), str(path)) if path.is_file() else None


def saved_splits(folder: Path) -> dict[str, str] | None:
    """The splits of a run's images, by the hash of their content; None where the data give them."""
    path, remedy = folder / SPLITS_FILE, f"restore it, or delete the folder {folder} and train again"
    if not path.is_file():
        return None
    split_of = parse(path, remedy)
    if not split_of or not all(split in SPLITS for split in split_of.values()):
        raise UserError(f"{path} is damaged (it does not give the splits): {remedy}")
    return split_of


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
    return ours or path.name == LOCK or is_unfinished(path.name)


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
        content = decoded(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise UserError(f"{path} is damaged (not JSON): {remedy}")
    return content


def encode(content: dict[str, Any]) -> bytes:
    """JSON that people can read."""
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()
