"""Runs that are over in seconds: small configurations, few iterations, in a number format that is chosen."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace as replace_fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch

from pocketrcnn.config import Config, DataConfig, replace
from pocketrcnn.course.data.datasets import Images, open_dataset
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.custom.evaluate import evaluate_run
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.train import train
from pocketrcnn.data.dataset import Dataset
from pocketrcnn.model.structures import Batch
from pocketrcnn.training import device
from pocketrcnn.training.fit import fit
from pocketrcnn.training.loop import Trainer
from pocketrcnn.training.run import Run
from pocketrcnn.training.signals import Interrupted

CPU = torch.device("cpu")
FORMATS = ("float32", "bfloat16")


@contextmanager
def auto_becomes(precision: str) -> Iterator[None]:
    """`train.precision: auto` is this number format, whatever the processor is faster in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(device, "bfloat16_gain", lambda: 2.0 if precision == "bfloat16" else 0.5)
        yield


def small(experiment: str, recipe: str = "pocket", **changes: object) -> Config:
    """An experiment on the sample, a few iterations long."""
    config = EXPERIMENTS[experiment].config(recipe, 6, "sample", 0)
    config = replace(
        config, train__batch=10, train__evaluations=2, train__evaluation_images=20, train__precision="float32"
    )
    return replace(config, **changes)


def learn(data: Path, folder: Path) -> Path:
    """Train a small network for 40 iterations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POCKETRCNN_DATA", str(folder / "cache"))
        return train(TrainOptions(data, iterations=40, preset="small", batch=8, out=folder / "run", device="cpu"))


def quick(data: Path, out: Path, iterations: int = 2, **changes: Any) -> Path:
    """A run of a few iterations."""
    changes = {"preset": "small", "batch": 2, "input_size": 32, "device": "cpu", **changes}
    return train(TrainOptions(data, iterations=iterations, out=out, **changes))


def metrics(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())  # type: ignore[no-any-return]


def evaluation(folder: Path, split: str) -> dict[str, Any]:
    return json.loads((folder / f"evaluation-{split}.json").read_text())  # type: ignore[no-any-return]


def evaluated(*given: Any) -> dict[str, Any]:
    """What `evaluate_run` writes."""
    return dict(vars(evaluate_run(*given)[-1]))


def interrupt_after(patch: pytest.MonkeyPatch, iterations: int, number: int = signal.SIGINT) -> None:
    """A signal in the last of so many iterations."""
    batch = Trainer.batch

    def stopping(self: Trainer, iteration: int) -> Batch:
        if iteration + 1 == iterations:
            signal.raise_signal(number)
        return batch(self, iteration)

    patch.setattr(Trainer, "batch", stopping)


@lru_cache(maxsize=8)
def sample_sets(config: DataConfig) -> tuple[Dataset, Dataset]:
    """The sample, opened once, with 40 test images: enough to compare runs by."""
    test = open_dataset(config, "test")
    assert isinstance(test, Images)
    first = {name: getattr(test, name)[:40] for name in ("images", "boxes", "labels")}
    return open_dataset(config, "train"), replace_fields(test, **first)


def train_on_sample(folder: Path, config: Config) -> Run:
    """Train, or go on, on the sample."""
    run = Run(folder, config, CPU)
    with run:
        fit(*sample_sets(config.data), run)
    return run


def interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch, config: Config) -> Path:
    """The checkpoint of a run on the sample that was interrupted in its second iteration."""
    with monkeypatch.context() as patch:
        interrupt_after(patch, 2)
        with pytest.raises(Interrupted):
            train_on_sample(folder, config)
    return folder / "checkpoint.safetensors"
