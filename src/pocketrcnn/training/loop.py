"""The one training loop. Every experiment and every detector of the project is trained by `fit`.

Everything random in an iteration is drawn after seeding torch with (seed, iteration): a run that is interrupted and
resumed is the same run, to the bit, on the same machine with the same number of threads.
"""

from __future__ import annotations

import math
import time
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from ..config import Config
from ..data.augment.augment import augment
from ..data.dataset import Dataset
from ..errors import UserError
from ..evaluation.measures import Means, Sums, measure
from ..evaluation.network import Conclude, assess, evaluate
from ..model.faster_rcnn import total_loss
from ..model.structures import Batch
from . import optim
from .clock import Clock
from .device import DELIVERED, autocast, keep_memory
from .machine import peak_memory_gb
from .progress import Progress
from .run import CHECKPOINT, Run
from .signals import Interrupted, signals_noted
from .state import State


def step_seed(seed: int, iteration: int) -> int:
    """One number from two; every pair its own, for iterations below 2^24."""
    return (seed << 24) + iteration


def order(count: int, batch: int, seed: int, iteration: int) -> tuple[Tensor, int]:
    """The images of an iteration (a slice of the epoch's permutation) and its epoch; a short last slice is dropped."""
    batch = min(batch, count)
    epoch, place = divmod(iteration, count // batch)
    generator = torch.Generator().manual_seed(step_seed(seed, epoch))
    return torch.randperm(count, generator=generator)[place * batch : (place + 1) * batch], epoch


class Trainer:
    """A configuration, its data and its state, advancing one iteration at a time."""

    def __init__(self, config: Config, train: Dataset, test: Dataset, device: torch.device) -> None:
        if len(train) == 0:
            raise UserError(f"{train.name} has no training images: add some")
        self.config, self.device = config, device
        self.train, self.test = train.to(device), test.to(device)
        self.state = State.start(config, self.train, device)
        self.state.model.train()

    def batch(self, iteration: int) -> Batch:
        """The batch of an iteration: images drawn, composed and augmented."""
        train = self.config.train
        indices, epoch = order(len(self.train), train.batch, train.seed, iteration)
        batch = self.train.batch(indices.to(self.device))
        return augment(batch, self.config.augment, epoch, train.seed)

    def step(self) -> None:
        """One iteration, everything included."""
        state, config = self.state, self.config
        torch.manual_seed(step_seed(config.train.seed, state.iteration))
        optim.set_rates(state.optimisers, optim.schedule(config.optim, state.iteration, state.planned))
        batch = self.batch(state.iteration)
        with self.precision():
            prediction = state.model(batch.images, batch)
        targets = state.model.targets(prediction, batch)
        losses = state.model.losses(prediction, targets, config.loss)
        total = total_loss(losses, config.loss)
        total.backward()  # type: ignore[no-untyped-call]
        for optimiser in state.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        if state.average:
            state.average.update(state.iteration)
        with torch.no_grad():
            self.watch(measure(prediction, targets, batch), losses | {"total": total})
        state.iteration += 1

    def precision(self) -> AbstractContextManager[Any]:
        """The number format of the configuration."""
        return autocast(self.config.train.precision, self.device)

    def watch(self, measured: Sums, losses: dict[str, Tensor]) -> None:
        """Add the batch to the training figures of the next point of the curves."""
        one = torch.tensor(1)
        self.state.means.add({f"loss_{name}": (loss.detach(), one) for name, loss in losses.items()})
        self.state.means.add(measured)

    def point(self) -> dict[str, Any]:
        """A point of the curves: the training figures since the last one, and the test figures on some images."""
        training, self.state.means = self.state.means.result(), Means()
        bad = [name for name, value in training.items() if not math.isfinite(value)]
        if bad:
            raise UserError(
                f"{bad[0]} is no longer a finite number at iteration {self.state.iteration}: lower optim.lr "
                f"(now {self.config.optim.lr:g}) or look for broken images"
            )
        with self.precision():
            settings = self.config.train
            testing = evaluate(
                self.state.evaluated, self.test, self.config.loss, settings.curve_images, settings.monitor
            )
        return {"iteration": self.state.iteration, "train": training, "test": testing}


def fit(
    train: Dataset, test: Dataset, run: Run, spent: float = 0.0, conclude: Conclude | None = None
) -> dict[str, Any]:
    """Train as the run is configured, or go on from its checkpoint; returns and saves the final metrics.

    `spent`: seconds of the run's minutes that its preparation took. `conclude`: evaluates and writes ground truth and
    detections of all test images; the weights keep its best threshold. A run is finished once they are written. A
    finished run returns its metrics at once. Raises Interrupted after Ctrl-C or SIGTERM, the state saved.
    """
    done = run.metrics()
    if done is not None:
        return done
    config = run.config
    keep_memory()
    trainer = Trainer(config, train, test, run.device)
    if saved := run.checkpoint():
        trainer.state.restore(*saved, run.folder / CHECKPOINT, config.train)
        run.log(trainer.state.log)
    trainer.state.elapsed += spent
    standing = (run.name, config, trainer.state.iteration, trainer.state.seconds)
    with signals_noted() as signals, Progress(*standing) as progress:
        advance(trainer, run, progress, signals)
        progress.say("evaluating on all test images")
        begun = time.perf_counter()
        with autocast(DELIVERED, run.device):
            kept, monitor = trainer.state.kept, config.train.monitor
            found, evaluation = assess(kept, trainer.test, config.loss, None, monitor, conclude=conclude)
        facts = {"threshold": evaluation.best_threshold} if evaluation else {}
        last = time.perf_counter() - begun
    state = trainer.state
    times = {"seconds": state.seconds, "elapsed": state.elapsed + last, "evaluation_seconds": state.judging + last}
    metrics = {"metrics": found, "iterations": state.iteration, **times, "peak_memory_gb": peak_memory_gb()}
    run.finish(state.kept, state.evaluated, (state.tensors(), state.facts()), metrics, facts)
    if signals:  # they came during the evaluation, which ends by itself
        raise Interrupted(f"at the end of {run.name}, state saved; {run.remedy}", signals[0])
    return metrics


def advance(trainer: Trainer, run: Run, progress: Progress, signals: list[int]) -> None:
    """Iterate to the end, with points of the curves and checkpoints on the way."""
    state, settings = trainer.state, trainer.config.train
    every = math.ceil(settings.iterations / settings.evaluations)
    clock = Clock(state, settings, last=len(trainer.test) / min(settings.curve_images, len(trainer.test)))
    saved = time.perf_counter()

    def judge() -> None:
        state.log.append(trainer.point())
        run.log(state.log)
        state.keep_best(settings)
        clock.evaluated()

    while state.iteration < state.planned:
        trainer.step()
        clock.trained()
        due = state.iteration % every == 0 or state.iteration >= state.planned
        if due:
            judge()
        progress.update(state, due)
        if signals or time.perf_counter() - saved > settings.checkpoint_seconds:
            run.save(state.tensors(), state.facts())
            saved = time.perf_counter()
        if signals:
            where = f"at iteration {state.iteration} of {run.name}"
            raise Interrupted(f"{where}, state saved; {run.remedy}", signals[0])
    if state.iteration > (state.log[-1]["iteration"] if state.log else 0):
        judge()  # resumed with fewer iterations than there are already
