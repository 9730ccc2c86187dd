"""The one training loop. Every experiment and every detector of the project is trained by `fit`.

Everything random in an iteration is drawn after seeding torch with (seed, iteration): a run that is interrupted and
resumed is the same run, to the bit, on the same machine with the same number of threads.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from . import optim
from .checkpoint import require_fit
from .config import Config
from .data import Dataset
from .data.augment import augment
from .detector import Detector, total_loss
from .environment import choose_precision
from .errors import UserError
from .metrics import Means, evaluate, measure
from .runs import Run
from .show import Progress
from .structures import Batch

WHITENING = 500  # images whose patches give the first filters


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM arrived; the state is saved and the run can be resumed."""

    def __init__(self, where: str, number: int) -> None:
        super().__init__(f"interrupted at {where}, state saved")
        self.code = 128 + number
        """The exit code that shells expect after this signal."""


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

    model: Detector
    optimisers: list[torch.optim.Optimizer]
    average: optim.Average | None
    iteration: int = 0
    seconds: float = 0.0
    log: list[dict[str, Any]] = field(default_factory=list)
    means: Means = field(default_factory=Means)
    """Training figures since the last point of the curves."""

    @classmethod
    def start(cls, config: Config, train: Dataset, device: torch.device) -> State:
        """A network at its seeded beginning."""
        torch.manual_seed(config.train.seed)
        model = Detector(config.model).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        model.backbone.whiten(model.normalise(train.batch(torch.arange(min(WHITENING, len(train)))).images))
        average = optim.Average(model, config.optim.average, config.train.iterations) if config.optim.average else None
        return cls(model, optim.build(model, config.optim), average)

    @property
    def evaluated(self) -> Detector:
        """The network that is evaluated and kept: the averaged one where there is one."""
        return self.average.model if self.average else self.model  # type: ignore[return-value]

    def tensors(self) -> dict[str, Tensor]:
        """All tensors of the state by name; also where a checkpoint is copied to."""
        found = {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}
        if self.average:
            found |= {f"average.{name}": tensor for name, tensor in self.average.model.state_dict().items()}
        for i, optimiser in enumerate(self.optimisers):
            parameters = [p for group in optimiser.param_groups for p in group["params"]]
            for j, parameter in enumerate(parameters):
                found |= {f"optimiser{i}.{j}.{name}": t for name, t in optimiser.state[parameter].items()}
        return found

    def restore(self, tensors: dict[str, Tensor], facts: dict[str, Any], where: Path) -> None:
        """Put a checkpoint's content in place. Raises UserError when it belongs to another network."""
        self.prepare_optimisers()
        own = self.tensors()
        require_fit(own, tensors, where, "delete it to start over")
        for name, tensor in own.items():
            tensor.copy_(tensors[name])
        self.iteration, self.seconds, self.log = facts["iteration"], facts["seconds"], facts["log"]
        self.means = Means.from_plain(facts["means"])

    def facts(self) -> dict[str, Any]:
        """What is not a tensor, as JSON holds it."""
        means = self.means.plain()
        return {"iteration": self.iteration, "seconds": self.seconds, "log": self.log, "means": means}

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
        optim.set_rates(state.optimisers, optim.schedule(config.optim, state.iteration, config.train.iterations))
        batch = self.batch(state.iteration)
        with self.precision():
            prediction = state.model(batch.images, state.model.training_rois(batch))
        losses = state.model.losses(prediction, batch, config.loss)
        total = total_loss(losses, config.loss)
        total.backward()  # type: ignore[no-untyped-call]
        for optimiser in state.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        if state.average:
            state.average.update(state.iteration)
        self.watch(prediction, batch, losses | {"total": total})
        state.iteration += 1

    def precision(self) -> AbstractContextManager[Any]:
        """Multiply in bfloat16 where the configuration says so; sums, losses and weights stay in float32."""
        chosen = choose_precision(self.config.train.precision, self.device)
        return torch.autocast(self.device.type, torch.bfloat16, enabled=chosen == "bfloat16")

    @torch.no_grad()
    def watch(self, prediction: Any, batch: Batch, losses: dict[str, Tensor]) -> None:
        """Add the batch to the training figures of the next point of the curves."""
        one = torch.tensor(1)
        self.state.means.add({f"loss_{name}": (loss.detach(), one) for name, loss in losses.items()})
        self.state.means.add(measure(self.state.model, prediction, batch))

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
            testing = evaluate(self.state.evaluated, self.test, self.config.loss, self.config.train.curve_images)
        return {"iteration": self.state.iteration, "train": training, "test": testing}


@contextmanager
def signals_noted() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM in a list in place of dying from them, so that the state can be saved first."""
    noted: list[int] = []
    kept = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            kept[number] = signal.signal(number, lambda n, _: noted.append(n))
    except ValueError:
        pass  # not the main thread: signals are somebody else's
    try:
        yield noted
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def fit(train: Dataset, test: Dataset, run: Run) -> dict[str, Any]:
    """Train as the run is configured, or go on from its checkpoint; returns and saves the final metrics.

    A finished run returns its metrics at once. Raises Interrupted after Ctrl-C or SIGTERM, the state saved.
    """
    done = run.metrics()
    if done is not None:
        return done
    config = run.config
    trainer = Trainer(config, train, test, run.device)
    run.restore(trainer.state)
    standing = (run.name, config, trainer.state.iteration, trainer.state.seconds)
    with signals_noted() as signals, Progress(*standing) as progress:
        advance(trainer, run, progress, signals)
        progress.say("evaluating on all test images")
        with trainer.precision():
            found = evaluate(trainer.state.evaluated, trainer.test, config.loss)
    metrics = {"metrics": found, "seconds": trainer.state.seconds, "iterations": config.train.iterations}
    run.finish(trainer.state, metrics)
    if signals:  # they came during the evaluation, which ends by itself
        raise Interrupted(f"the end of {run.name}", signals[0])
    return metrics


def advance(trainer: Trainer, run: Run, progress: Progress, signals: list[int]) -> None:
    """Iterate to the end, with points of the curves and checkpoints on the way."""
    state, settings = trainer.state, trainer.config.train
    every = math.ceil(settings.iterations / settings.evaluations)
    begun, saved = time.perf_counter() - state.seconds, time.perf_counter()
    while state.iteration < settings.iterations:
        trainer.step()
        state.seconds = time.perf_counter() - begun
        due = state.iteration % every == 0 or state.iteration == settings.iterations
        if due:
            state.log.append(trainer.point())
            run.log(state.log)
            begun = time.perf_counter() - state.seconds  # evaluation is not training time
        progress.update(trainer, due)
        if signals or time.perf_counter() - saved > settings.checkpoint_seconds:
            run.save(state)
            saved = time.perf_counter()
        if signals:
            raise Interrupted(f"iteration {state.iteration} of {run.name}", signals[0])
