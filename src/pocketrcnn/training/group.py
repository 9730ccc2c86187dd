"""The processes that train one network together, as the training loop sees them. Here: one, and everything is as it is.

`ranks` has the group of several. Each of them has a part of every batch, and all of them hold the same weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from ..model.faster_rcnn import FasterRCNN, Prediction, Targets

if TYPE_CHECKING:
    from ..config import Config
    from ..evaluation.measures import Sums
    from .state import State


class Learner(Protocol):
    """What is trained: a `Trainer` of `loop`."""

    config: Config
    state: State


class Group:
    """One process by itself."""

    rank, count = 0, 1

    def __init__(self) -> None:
        self.signals: list[int] = []
        """Ctrl-C and SIGTERM that came to any of the processes, noted while they train."""
        self.waiting = False
        """Of the first of several processes: whether all others wait for what it says next."""

    def numbers(self, iterations: Iterable[int], trainer: Learner) -> Iterable[int]:
        """The numbers of the iterations: the first process hands them out to all, of which the others get them."""
        return iterations

    def require_possible(self, config: Config, images: int, device: torch.device) -> None:
        """Raises UserError where these processes cannot train as configured on so many images."""

    def part(self, indices: Tensor) -> Tensor:
        """Those of a batch's images that are for this process: int64 [B] -> [b]."""
        return indices

    def seed(self, seed: int) -> int:
        """What the random numbers of an iteration follow from in this process."""
        return seed

    def predict(self, model: FasterRCNN, *given: Any) -> Prediction:
        """The network's prediction for the part of this process. The gradients that come of it are those of all."""
        return model(*given)  # type: ignore[no-any-return]

    def whole(self, losses: dict[str, Tensor], model: FasterRCNN, targets: Targets) -> dict[str, Tensor]:
        """Losses of a part of a batch, scalars -> those of the whole batch, with the part of this process in them."""
        return losses

    def synchronise(self, model: FasterRCNN) -> None:
        """Let BatchNorm take its statistics from the whole batch, as it does here."""

    def summed(self, sums: Sums) -> Sums:
        """Measures of a part of a batch -> those of the whole batch."""
        return sums

    def gathered(self, own: Any) -> list[Any]:
        """What each process gave, by rank."""
        return [own]

    def tell(self, word: Any) -> None:
        """Say something to the others, which wait."""

    def release(self, code: int = 0, folder: Path | None = None) -> None:
        """Let the others go, which have nothing left to do: with an exit code, and the folder of the run."""


ALONE = Group()
_current: ContextVar[Group] = ContextVar("group", default=ALONE)


def current() -> Group:
    """The group of this process."""
    return _current.get()


@contextmanager
def member_of(group: Group) -> Iterator[None]:
    """In this block the process is one of a group."""
    token = _current.set(group)
    try:
        yield
    finally:
        _current.reset(token)
