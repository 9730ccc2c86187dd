"""Numbers that are not finite: noticed before they reach the weights, named with their images, never saved.

The total loss of a batch is one number, and it is looked at in every iteration, before the optimiser's step. A batch
whose loss is not finite is left out: the network, the statistics of BatchNorm included, is as it was before it. After
`PATIENCE` of them in a row the run stops; so it does at once where the weights themselves are not finite, since no
batch helps them. What was saved last is finite.
"""

import math

import torch
from torch import Tensor, nn

from ..config import Config
from ..data.dataset import Dataset
from ..errors import UserError
from ..terminal import say
from .group import current
from .state import State

PATIENCE = 10  # batches in a row that are left out before a run stops
NAMED = 8  # images of a batch that a message names


class NotFinite(UserError):
    """Training cannot go on with the numbers in memory; those that were saved are finite."""


class Watch:
    """Looks at the loss of every iteration of a state, which is about to be trained."""

    def __init__(self, state: State, config: Config, train: Dataset) -> None:
        self.state, self.config, self.train = state, config, train
        norms = [module for module in state.model.modules() if isinstance(module, nn.BatchNorm2d | nn.SyncBatchNorm)]
        self.statistics = [buffer for norm in norms for buffer in norm.buffers()]
        self.before = [buffer.clone() for buffer in self.statistics]  # of the last batch that was learned from
        self.learned: Tensor | None = None  # its images
        self.row = self.count = 0  # batches that were left out: one after the other, and in this call

    def passes(self, total: Tensor, images: Tensor) -> bool:
        """Whether the loss of a batch is finite; else its iteration is over, and the network is as before it.

        images: the index of each image of the batch. Raises NotFinite where the run has to stop.
        """
        if math.isfinite(total.item()):
            torch._foreach_copy_(self.before, self.statistics)
            self.learned, self.row = images, 0
            return True
        torch._foreach_copy_(self.statistics, self.before)
        state, named = self.state, self.named(images)
        if not all(map(is_finite, state.model.state_dict().values())):
            named = named if self.learned is None else self.named(self.learned)
            raise not_finite(f"the weights are not finite after {state.iteration} iterations ({named})", self.config)
        self.row, self.count = self.row + 1, self.count + 1
        if self.row == PATIENCE:
            raise not_finite(f"the loss is not finite in {PATIENCE} batches in a row ({named})", self.config)
        state.iteration += 1
        number = f"iteration {state.iteration}"
        say(f"{number}: the loss is not finite; its batch is left out ({named}), {self.count} so far")
        return False

    def named(self, images: Tensor) -> str:
        """The images with these indices, and those of other processes, in words: by their files, if they have some."""
        paths = getattr(self.train, "paths", None)
        indices = [index for part in current().gathered(images.tolist()) for index in part]
        names = [paths[index].name if paths else str(index) for index in indices]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        return f"images {', '.join(names[:NAMED])}{more}"


def not_finite(what: str, config: Config) -> NotFinite:
    """The error that says what is not finite, and the remedy."""
    rate = config.optim.lr
    if config.data.kind != "folder":
        return NotFinite(f"{what}: lower optim.lr (now {rate:g}), in a new folder")
    return NotFinite(f"{what}: train in a new folder at a lower rate, as with --set optim.lr={rate / 10:g}")


def require_finite_metrics(metrics: dict[str, float], where: str, config: Config) -> None:
    """Raises NotFinite where a metric is not finite. where: `after 20 iterations`, in words."""
    wrong = next((name for name, value in metrics.items() if not math.isfinite(value)), None)
    if wrong:
        raise not_finite(f"{wrong} is not finite {where}", config)


def require_finite(state: State, config: Config) -> None:
    """Raises NotFinite where the state holds numbers that are not finite: it must not be saved."""
    wrong = next((name for name, tensor in state.tensors().items() if not is_finite(tensor)), None)
    if wrong:
        raise not_finite(f"`{wrong}` is not finite after {state.iteration} iterations", config)


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers of a tensor are finite."""
    return bool(torch.isfinite(tensor).all())
