"""N1: learning rates, boxes, pixels, losses and weights that are not finite, or become so.

Each trial is a short run of one's own data, with a checkpoint after every iteration. Kept: a loss that is not finite is
named in its own iteration, with images; the run stops after ten in a row, or where the weights are not finite; no file
ever holds a number that is not finite, and no state that is not finite reaches a checkpoint.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
from functools import partialmethod
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import painted
import torch
from PIL import Image
from safetensors.numpy import load_file
from torch import Tensor

from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.train import train
from pocketrcnn.data.folders import Folder
from pocketrcnn.errors import UserError
from pocketrcnn.model.structures import Batch
from pocketrcnn.training import loop
from pocketrcnn.training.loop import Trainer
from pocketrcnn.training.run import Run

from .campaign import Broken, Campaign, Trial

BAD = (math.nan, math.inf, -math.inf, 1e30, -1e30, 3e38)
RATES = (1e2, 1e4, 1e8, 1e15, 1e30)
ITERATIONS = 14
NAMED = re.compile(r"^iteration (\d+): the loss is not finite; its batch is left out \(images \S")


class Watched:
    """A run whose iterations, losses and saved states are looked at from outside, and may be poisoned."""

    def __init__(self, one: Trial, kind: str) -> None:
        self.one, self.kind = one, kind
        self.from_on = one.random.randrange(1, ITERATIONS)
        self.last = self.from_on if one.random.random() < 0.6 else ITERATIONS
        self.value = one.random.choice(BAD)
        self.now, self.not_finite = -1, list[int]()
        self.originals: Any = Trainer.batch, loop.total_loss, Run.save, Folder.batch

    @property
    def poisons(self) -> bool:
        """Whether this iteration is poisoned."""
        return self.from_on <= self.now <= self.last

    def batch(self, trainer: Trainer, iteration: int) -> Batch:
        """Note which iteration begins; spoil a weight, or a box after augmentation."""
        self.now = iteration
        batch: Batch = self.originals[0](trainer, iteration)
        if self.poisons and self.kind == "weights":
            parameters = list(trainer.state.model.parameters())
            one = self.one.random.choice(parameters).data
            one[(0,) * one.ndim] = self.value
        if self.poisons and self.kind == "boxes":
            batch.boxes[self.one.random.randrange(len(batch.boxes)), 0, self.one.random.randrange(4)] = self.value
        return batch

    def total(self, *given: Any) -> Tensor:
        """The loss, spoiled in some iterations; whether it is finite is noted."""
        total: Tensor = self.originals[1](*given)
        if self.poisons and self.kind == "losses":
            total = total * self.value * (1e30 if math.isfinite(self.value) else 1)
        if not math.isfinite(total.item()):
            self.not_finite.append(self.now + 1)
        return total

    def save(self, run: Run, tensors: dict[str, Tensor], metadata: dict[str, Any]) -> None:
        """Look at the state before it is saved."""
        wrong = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
        if wrong:
            raise Broken(f"a state with {wrong[0]} that is not finite is saved in iteration {self.now + 1}")
        self.originals[2](run, tensors, metadata)


def prepare(shared: Path) -> None:
    """Pictures of 48 pixels, and a cache."""
    painted.write(shared / "shapes", train=12, val=4)


def trial(one: Trial) -> None:
    """One poisoned run."""
    kind = ("rates", "boxes", "pixels", "losses", "weights", "annotations")[one.number % 6]
    data = one.shared / "shapes"
    if kind in ("pixels", "annotations"):
        data = painted.write(one.folder / "data", seed=one.number, train=12, val=4)
        spoil_pixels(one, data) if kind == "pixels" else spoil_annotations(one, data)
    settings = ["train.checkpoint_seconds=0"]
    if kind == "rates":
        settings += [f"optim.name={one.random.choice(('adam', 'adamw', 'sgd', 'muon'))}"]
        settings += [f"optim.lr={one.random.choice(RATES):g}", "optim.final_lr=1"]
    precision = one.random.choice(("float32", "bfloat16"))
    options = TrainOptions(
        data, iterations=ITERATIONS, preset="small", batch=4, out=one.folder / "run", settings=tuple(settings),
        seed=one.random.randrange(1000), device="cpu", precision=precision,
    )  # fmt: skip
    said, stopped, watched = watch(options, Watched(one, kind))
    require_kept(one, watched, said, stopped)


def poisoned_batch(trainer: Trainer, watched: Watched, iteration: int) -> Batch:
    """`Trainer.batch` of a watched run."""
    return watched.batch(trainer, iteration)


def inspected_save(run: Run, watched: Watched, *state: Any) -> None:
    """`Run.save` of a watched run."""
    watched.save(run, *state)


def watch(options: TrainOptions, watched: Watched) -> tuple[str, str, Watched]:
    """Train: what was said, and the error that stopped it, if one did."""
    stopped, said = "", io.StringIO()
    with contextlib.ExitStack() as patches:
        enter = patches.enter_context
        enter(patch.dict(os.environ, {"POCKETRCNN_DATA": str(watched.one.shared / "cache")}))
        enter(patch.object(Trainer, "batch", partialmethod(poisoned_batch, watched)))
        enter(patch.object(loop, "total_loss", watched.total))
        enter(patch.object(Run, "save", partialmethod(inspected_save, watched)))
        enter(contextlib.redirect_stdout(said))
        try:
            train(options)
        except UserError as error:
            stopped = str(error)
    return said.getvalue(), stopped, watched


def require_kept(one: Trial, watched: Watched, said: str, stopped: str) -> None:
    """Raises Broken where a promise was not kept."""
    named = [int(match[1]) for line in said.splitlines() if (match := NAMED.match(line))]
    unnamed = sorted(set(watched.not_finite) - set(named))
    one.counts["losses that were not finite"] += len(watched.not_finite)
    one.counts["runs that were stopped"] += bool(stopped)
    if unnamed and not (stopped and unnamed == [watched.now + 1]):
        raise Broken(f"the loss of iteration {unnamed[0]} is not finite, and nothing says so (stopped by: {stopped})")
    if stopped and "finite" not in stopped:
        raise Broken(f"stopped for another reason: {stopped}")
    if "\n" in stopped:
        raise Broken(f"more than a line: {stopped}")
    for path in sorted((one.folder / "run").rglob("*.safetensors")):
        if wrong := [name for name, array in load_file(path).items() if not np.isfinite(array).all()]:
            raise Broken(f"{path.name} holds {wrong[0]}, which is not finite")
    for path in sorted((one.folder / "run").glob("*.json*")):
        for line in path.read_text(encoding="utf-8").splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
            json.loads(line, parse_constant=no_constant)


def no_constant(word: str) -> None:
    """NaN and Infinity are no JSON, and no figures."""
    raise Broken(f"a file holds {word}")


def spoil_pixels(one: Trial, data: Path) -> None:
    """Some images become TIFF of 32-bit floats in which some numbers are not finite, or huge."""
    for path in sorted(data.rglob("*.png"))[:: one.random.choice((1, 3))]:
        pixels = np.asarray(Image.open(path).convert("L")).astype(np.float32)
        rows = one.random.choice((slice(0, 1), slice(3, 20), slice(None)))
        pixels[rows, ::2] = [np.float32(one.random.choice(BAD)) for _ in range(pixels[rows, ::2].shape[1])]
        Image.fromarray(pixels).save(path, "TIFF")


def spoil_annotations(one: Trial, data: Path) -> None:
    """Some numbers of a COCO file become NaN, Infinity, 1e400 or 1e30."""
    words = ("NaN", "Infinity", "-Infinity", "1e400", "1e30", "-1e30")
    for path in data.rglob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        for record in content["annotations"][:: one.random.choice((2, 3))]:
            record["bbox"][one.random.randrange(4)] = "BAD"
        text = json.dumps(content)
        path.write_text(re.sub('"BAD"', lambda _: one.random.choice(words), text), encoding="utf-8")


CAMPAIGN = Campaign(long=200, short=6, trial=trial, prepare=prepare)
