"""The one training loop. Every experiment and every detector of the project is trained by `fit`.

Everything random in an iteration is drawn after seeding torch with (seed, iteration): a run that is interrupted and
resumed is the same run, to the bit, on the same machine with the same number of threads.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import optim
from .checkpoint import require_fit
from .clock import Clock
from .config import Config, TrainConfig
from .data.augment import augment
from .data.datasets import Dataset
from .environment import DELIVERED, autocast, keep_memory, peak_memory_gb
from .errors import UserError
from .evaluation.coco import Found, Truth
from .evaluation.measures import Means, Sums, measure
from .evaluation.network import assess, evaluate
from .interruption import Interrupted, signals_noted
from .model.faster_rcnn import FasterRCNN, total_loss
from .model.structures import Batch
from .runs import Run
from .show import Progress

Conclude = Callable[[list[Truth], list[Found]], dict[str, Any]]

WHITENING, WHITENING_PIXELS = 500, 2**24  # at most so many images, and pixels, give the first filters by their patches


def step_seed(seed: int, iteration: int) -> int:
    """One number from two; every pair its own, for iterations below 2^24."""
    return (seed << 24) + iteration


def order(count: int, batch: int, seed: int, iteration: int) -> tuple[Tensor, int]:
    """The images of an iteration (a slice of the epoch's permutation) and its epoch; a short last slice is dropped."""
    batch = min(batch, count)
    epoch, place = divmod(iteration, count // batch)
    generator = torch.Generator().manual_seed(step_seed(seed, epoch))
    return torch.randperm(count, generator=generator)[place * batch : (place + 1) * batch], epoch


@dataclass
class State:
    """What changes during training; all of it is in the checkpoint."""

    model: FasterRCNN
    optimisers: list[torch.optim.Optimizer]
    average: optim.Average | None
    iteration: int = 0
    seconds: float = 0.0
    log: list[dict[str, Any]] = field(default_factory=list)
    means: Means = field(default_factory=Means)
    """Training figures since the last point of the curves."""
    best: FasterRCNN | None = None
    """The network at the best point so far, where one is kept."""
    planned: int = 0
    """Iterations of the whole run, as they are planned now."""
    elapsed: float = 0.0
    """Seconds of the run, evaluation included."""
    judging: float = 0.0
    """Seconds of evaluation for the points of the curves."""
    asked: tuple[float, int] = (0.0, 0)
    """Minutes and iterations of the configuration, behind the plan."""
    earlier: int = 0
    """Points of the curves from before these were asked; patience does not count them."""

    @classmethod
    def start(cls, config: Config, train: Dataset, device: torch.device) -> State:
        """A network at its seeded beginning."""
        torch.manual_seed(config.train.seed)
        model = FasterRCNN(config.model).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        count = min(WHITENING, WHITENING_PIXELS // config.model.image**2, len(train))
        model.backbone.whiten(model.normalise(train.batch(torch.arange(count)).images))
        average = optim.Average(model, config.optim.average, config.train.iterations) if config.optim.average else None
        best = copy.deepcopy(model).eval().requires_grad_(False) if config.train.monitor else None
        return cls(model, optim.build(model, config.optim), average, best=best).plan(config.train)

    def plan(self, settings: TrainConfig) -> State:
        """As many iterations as the configuration says, where there are not more already."""
        self.asked, self.earlier = (settings.minutes, settings.iterations), len(self.log)
        self.planned = max(self.iteration, settings.iterations)
        return self

    @property
    def kept(self) -> FasterRCNN:
        """What the run ends in: the best network where one is kept, else the evaluated one."""
        return self.best or self.evaluated

    def keep_best(self, settings: TrainConfig) -> None:
        """After a point of the curves: keep the network if it is the best so far; end a run that gets no better."""
        if self.best is None:
            return
        values = [point["test"][settings.monitor] for point in self.log]
        if values[-1] >= max(values):
            self.best.load_state_dict(self.evaluated.state_dict())
        since = len(values) - 1 - max(range(self.earlier, len(values)), key=lambda i: (values[i], i))
        if settings.patience and since >= settings.patience:
            self.planned = self.iteration

    @property
    def evaluated(self) -> FasterRCNN:
        """The network that is evaluated and kept: the averaged one where there is one."""
        return self.average.model if self.average else self.model  # type: ignore[return-value]

    def tensors(self) -> dict[str, Tensor]:
        """All tensors of the state by name; also where a checkpoint is copied to."""
        found = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        if self.average:
            found |= {f"average.{name}": tensor for name, tensor in self.average.model.state_dict().items()}
        if self.best:
            found |= {f"best.{name}": tensor for name, tensor in self.best.state_dict().items()}
        for i, optimiser in enumerate(self.optimisers):
            parameters = [p for group in optimiser.param_groups for p in group["params"]]
            for j, parameter in enumerate(parameters):
                found |= {f"optimiser{i}.{j}.{name}": t for name, t in optimiser.state[parameter].items()}
        return found

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any], where: Path, settings: TrainConfig) -> None:
        """Put a checkpoint's content in place. Raises UserError when it belongs to another network.

        Where `settings` ask for another time or number of iterations than the checkpoint's, the rest is planned anew.
        """
        self.prepare_optimisers()
        own = self.tensors()
        require_fit(own, tensors, where, "delete it to start over")
        for name, tensor in own.items():
            tensor.copy_(tensors[name])
        self.iteration, self.seconds, self.log = facts["iteration"], facts["seconds"], facts["log"]
        self.means = Means.from_plain(facts["means"])
        self.planned, self.elapsed, self.judging = facts["planned"], facts["elapsed"], facts["judging"]
        self.earlier = facts.get("earlier", 0)  # older checkpoints lack it
        if self.asked != tuple(facts["asked"]):
            self.plan(settings)

    def facts(self) -> dict[str, Any]:
        """What is not a tensor, as JSON holds it."""
        means = self.means.plain()
        times = {
            "seconds": self.seconds,
            "elapsed": self.elapsed,
            "judging": self.judging,
            "planned": self.planned,
            "asked": self.asked,
            "earlier": self.earlier,
        }
        return {"iteration": self.iteration, "log": self.log, "means": means, **times}

    def prepare_optimisers(self) -> None:
        """Let every optimiser make its state, by a step with gradient 0 and rate 0."""
        for parameter in self.model.parameters():
            parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
        optim.set_rates(self.optimisers, 0.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()


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

    `spent`: seconds of the run's minutes that its preparation took. `conclude`: facts to keep with the weights, from
    truth and detections of all test images; a run is finished once they are written. A finished run returns its
    metrics at once. Raises Interrupted after Ctrl-C or SIGTERM, the state saved.
    """
    done = run.metrics()
    if done is not None:
        return done
    config = run.config
    keep_memory()
    trainer = Trainer(config, train, test, run.device)
    run.restore(trainer.state)
    trainer.state.elapsed += spent
    standing = (run.name, config, trainer.state.iteration, trainer.state.seconds)
    with signals_noted() as signals, Progress(*standing) as progress:
        advance(trainer, run, progress, signals)
        progress.say("evaluating on all test images")
        begun = time.perf_counter()
        with autocast(DELIVERED, run.device):
            found, truth, detected = assess(trainer.state.kept, trainer.test, config.loss, None, config.train.monitor)
        facts = conclude(truth, detected) if conclude else {}
        last = time.perf_counter() - begun
    state = trainer.state
    times = {"seconds": state.seconds, "elapsed": state.elapsed + last, "evaluation_seconds": state.judging + last}
    metrics = {"metrics": found, "iterations": state.iteration, **times, "peak_memory_gb": peak_memory_gb()}
    run.finish(trainer.state, metrics, facts)
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
        progress.update(trainer, due)
        if signals or time.perf_counter() - saved > settings.checkpoint_seconds:
            run.save(state)
            saved = time.perf_counter()
        if signals:
            where = f"at iteration {state.iteration} of {run.name}"
            raise Interrupted(f"{where}, state saved; {run.remedy}", signals[0])
    if state.iteration > (state.log[-1]["iteration"] if state.log else 0):
        judge()  # resumed with fewer iterations than there are already
