"""The training loop: every network of the project learns by `Trainer.train`.

Everything random in an iteration is drawn after seeding torch with (seed, iteration): a run that is interrupted and
resumed is the same run, to the bit, on the same machine with the same number of threads.
Several processes may train together (`group`): each goes through this loop with its part of every batch.
Checkpoints, evaluations, the clock and signals stand around it: see `fit`.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from ..config import Config
from ..data.augment.augment import augment
from ..data.dataset import Dataset
from ..errors import UserError
from ..evaluation.measures import measure
from ..model.faster_rcnn import total_loss
from ..model.structures import Batch
from . import optim, phases
from .device import autocast
from .finite import Watch
from .group import current
from .state import State

APART = 2654435761  # between seeds, to begin elsewhere: 2^32 by the golden ratio, whose multiples are far from each
# other in 32 bits (Knuth 6.4)


def step_seed(seed: int, iteration: int) -> int:
    """One number from a seed and an iteration, below 2^24, another for each pair.

    Torch's generator takes 32 bits of it: seeds 256 apart would have the same ones, and begin elsewhere.
    """
    return (seed << 24) + iteration + (seed >> 8) * APART


def order(count: int, batch: int, seed: int, iteration: int) -> tuple[Tensor, int]:
    """Of `count` images those of an iteration, int64 [batch], and its epoch: a slice of the epoch's permutation, which
    follows from the seed; a short last slice is dropped.
    """
    batch = min(batch, count)
    epoch, position = divmod(iteration, count // batch)
    return permutation(count, step_seed(seed, epoch))[position * batch : (position + 1) * batch], epoch


@lru_cache(maxsize=1)
def permutation(count: int, seed: int) -> Tensor:
    """Numbers from 0 to count - 1, int64 [count], in the order of a seed; kept for all iterations of an epoch."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


class Trainer:
    """A configuration, its data and its state."""

    def __init__(self, config: Config, train: Dataset, test: Dataset, device: torch.device) -> None:
        if len(train) == 0:
            raise UserError(f"{train.name} has no training images: add some")
        self.config, self.device, self.group = config, device, current()
        self.group.require_possible(config, len(train), device)
        self.train_set, self.test_set = train.to(device), test.to(device)
        self.state = State.start(config, self.train_set, device)
        self.state.model.train()
        if config.train.sync_batchnorm:
            self.group.synchronise(self.state.model)

    def train(self, iterations: Iterable[int]) -> None:
        """One iteration for each number of `iterations`. The caller may evaluate, save or stop before it hands out the
        next one.
        """
        state, config, group = self.state, self.config, self.group
        watch = Watch(state, config, self.train_set)
        for iteration in group.numbers(iterations, self):
            torch.manual_seed(group.seed(step_seed(config.train.seed, iteration)))
            phase, done, length = phases.enter(state, config.train, iteration)
            optim.set_rates(state.optimisers, optim.schedule(config.optim, done, length))
            batch = self.batch(iteration)
            with self.precision():
                proposed = state.frozen.training_proposals(batch.images) if state.frozen else None
                prediction = group.predict(state.model, batch.images, batch, phase.train_box, proposed)
            targets = state.model.targets(prediction, batch)
            losses = group.whole(state.model.losses(prediction, targets, config.loss), state.model, targets)
            total = total_loss(losses, config.loss, phase.trained)
            if not watch.passes(total, batch.ids):
                continue
            total.backward()  # type: ignore[no-untyped-call]
            for optimiser in state.optimisers:
                optimiser.step()
                optimiser.zero_grad()
            if state.average:
                state.average.update(iteration)
            with torch.no_grad():
                state.means.add({f"loss_{name}": (loss, torch.tensor(1)) for name, loss in losses.items()})
                state.means.add({"loss_total": (total, torch.tensor(1))})
                state.means.add(group.summed(measure(prediction, targets, batch)))
            state.iteration = iteration + 1

    def step(self) -> None:
        """The next iteration alone, to time it."""
        self.train([self.state.iteration])

    def batch(self, iteration: int) -> Batch:
        """The batch of an iteration, or the part of it that is for this process: images drawn, composed, augmented."""
        train = self.config.train
        indices, epoch = order(len(self.train_set), train.batch, train.seed, iteration)
        indices = self.group.part(indices).to(self.device)
        return augment(self.train_set.batch(indices), self.config.augment, epoch, train.seed)

    def precision(self) -> AbstractContextManager[Any]:
        """The precision of the configuration."""
        return autocast(self.config.train.precision, self.device)
