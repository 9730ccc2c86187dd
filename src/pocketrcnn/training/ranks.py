"""Several processes that train one network: data parallel, by torch.distributed.

The first one (rank 0) does what a single process does: it plans, hands out the iterations, evaluates, saves and speaks.
The others wait for what it says: the number of the next iteration, or a word, such as another network to train.
In an iteration each process has a part of the batch. Losses, gradients, measures and the running statistics of
BatchNorm become those of the whole batch, so that all hold the same weights after it, to the bit, and leave out the
same batches. On CPUs gloo adds up; on GPUs nccl does, and gloo carries the words. Nobody spins while waiting.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ..config import Config
from ..errors import require
from ..model import boxes
from ..model.faster_rcnn import FasterRCNN, Prediction, Targets
from ..model.structures import PADDING
from .group import Group, Learner
from .loop import APART

if TYPE_CHECKING:
    from ..evaluation.measures import Sums

CPU = torch.device("cpu")
WORD, SILENT = -1, -2  # in place of an iteration: something else follows; the others have no say
LOST = re.compile(r"gloo|nccl|connection (closed|reset|refused)|timed out|broken pipe|TCPStore", re.IGNORECASE)


class Task(NamedTuple):
    """A network to train from a state on, which a checkpoint would hold."""

    config: Config
    tensors: dict[str, Tensor]
    metadata: dict[str, Any]


class Released(NamedTuple):
    """There is nothing left to do: the exit code, and the folder of the run, where training ended well."""

    code: int
    folder: Path | None


class Ranks(Group):
    """One of several processes, which have joined."""

    def __init__(self) -> None:
        super().__init__()
        self.rank, self.count = dist.get_rank(), dist.get_world_size()
        self.waiting = True
        self.announced = False
        """Of the others: whether a word follows."""
        self.trainer: Learner | None = None
        self.parallel: DistributedDataParallel | None = None
        self.learning: list[nn.Parameter] = []

    def numbers(self, iterations: Iterable[int], trainer: Learner) -> Iterator[int]:
        """The numbers of the iterations: handed out by the first process, of which the others get them."""
        return self.handed_out(iterations, trainer) if self.rank == 0 else self.received(trainer)

    def handed_out(self, iterations: Iterable[int], trainer: Learner) -> Iterator[int]:
        """The iterations, each once the others know of it. Before the first one they get the state."""
        if self.trainer is not trainer:
            tensors = {name: tensor.detach().cpu() for name, tensor in trainer.state.tensors().items()}
            self.tell(Task(trainer.config, tensors, trainer.state.metadata()))
            self.trainer = trainer
        for iteration in iterations:
            self.exchange(iteration, trainer.state.planned)
            self.waiting = False
            yield iteration
            self.waiting = True

    def received(self, trainer: Learner) -> Iterator[int]:
        """The iterations until a word comes, with the number that is planned now."""
        while True:
            number, planned = self.exchange()
            if number == WORD:
                self.announced = True
                return
            trainer.state.planned = planned
            yield number

    def exchange(self, number: int = SILENT, planned: int = SILENT) -> tuple[int, int]:
        """What the first process says, a number and how many are planned. Signals reach it on this way."""
        said = torch.tensor([number, planned, *(self.signals[:1] or [0])])
        dist.all_reduce(said, dist.ReduceOp.MAX)
        number, planned, signal = said.tolist()
        if signal and not self.signals:
            self.signals.append(signal)
        return number, planned

    def tell(self, word: Any) -> None:
        """Say something to the others, which wait."""
        self.exchange(WORD)
        dist.broadcast_object_list([word], device=CPU)

    def word(self) -> Any:
        """What the first process says next, besides iterations."""
        if not self.announced:
            self.exchange()
        self.announced = False
        said = [None]
        dist.broadcast_object_list(said, device=CPU)
        return said[0]

    def release(self, code: int = 0, folder: Path | None = None) -> None:
        """Let the others go, which have nothing left to do, with an exit code. In the middle of an iteration they do
        not wait: they notice that the first process ends."""
        if self.rank == 0 and self.waiting:
            self.waiting = False
            self.tell(Released(code, folder))

    def require_possible(self, config: Config, images: int, device: torch.device) -> None:
        """Raises UserError where batches are too small to be cut, and for SyncBatchNorm on CPUs."""
        images = min(config.train.batch, images)
        few = f"{images} images an iteration are too few for {self.count} processes, each needs 2 for BatchNorm"
        require(images >= 2 * self.count, f"{few}: use --batch {2 * self.count} or more, or fewer processes")
        alone = "train.sync_batchnorm needs GPUs, torch has it for these alone: leave it out"
        require(device.type == "cuda" or not config.train.sync_batchnorm, alone)

    def part(self, indices: Tensor) -> Tensor:
        """A slice of the batch; slices differ by an image at most."""
        return indices.tensor_split(self.count)[self.rank]

    def seed(self, seed: int) -> int:
        """Another one for each process: 64 of them and 2^24 iterations have a number each."""
        return seed + self.rank * APART

    def predict(self, model: FasterRCNN, *given: Any) -> Prediction:
        """The prediction by torch's DistributedDataParallel, and one running mean and variance for BatchNorm."""
        learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
        if self.parallel is None or list(map(id, learning)) != list(map(id, self.learning)):
            self.learning, self.parallel = learning, parallel(model)
        prediction = self.parallel(*given)
        self.average_statistics(model)
        return prediction  # type: ignore[no-any-return]

    @torch.no_grad()
    def average_statistics(self, model: FasterRCNN) -> None:
        """Running mean and variance that the last batch changed become their means over the processes.

        As `data`: the backward pass refuses tensors that were changed, although it needs none of these.
        """
        norms = [norm for norm in model.modules() if isinstance(norm, nn.BatchNorm2d) and norm.training]
        running = [buffer for norm in norms for buffer in (norm.running_mean, norm.running_var) if buffer is not None]
        if not running:
            return
        together = torch.cat(running)
        dist.all_reduce(together)
        means = together.div_(self.count).split(list(map(len, running)))  # type: ignore[no-untyped-call]
        torch._foreach_copy_([buffer.data for buffer in running], means)

    def whole(self, losses: dict[str, Tensor], model: FasterRCNN, targets: Targets) -> dict[str, Tensor]:
        """Losses of the whole batch, the same number in all processes.

        Each is a mean over anchors or regions, of which the parts have more and fewer; the gradient of a part counts
        accordingly. DistributedDataParallel divides the sum of gradients by the number of processes.
        """
        counts = counted(targets, model.config.classes)
        own = torch.stack(
            [torch.stack((loss.detach().double(), counts[name].double())) for name, loss in losses.items()]
        )
        own = own.cpu()  # [losses,2]: a mean, and over how many
        sums = torch.stack((own.prod(1), own[:, 1]), 1)
        dist.all_reduce(sums)
        total, number = sums.unbind(1)
        number = number.clamp(min=1)
        weighted = [loss * float(w) for loss, w in zip(losses.values(), self.count * own[:, 1] / number, strict=True)]
        means = (total / number).to(weighted[0])
        return {name: means[i] + (weighted[i] - weighted[i].detach()) for i, name in enumerate(losses)}

    def synchronise(self, model: FasterRCNN) -> None:
        """BatchNorm by the whole batch, as torch's SyncBatchNorm does it."""
        nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]

    def summed(self, sums: Sums) -> Sums:
        """Measures of the whole batch."""
        if not sums:
            return sums
        together = torch.stack([torch.stack(pair).double() for pair in sums.values()]).cpu()
        dist.all_reduce(together)
        return {name: (pair[0], pair[1]) for name, pair in zip(sums, together, strict=True)}

    def gathered(self, own: Any) -> list[Any]:
        """What each process gave, by rank."""
        given = [None] * self.count
        dist.all_gather_object(given, own)
        return given


def counted(targets: Targets, classes: int) -> dict[str, Tensor]:
    """How many anchors or regions each of the network's `losses` is a mean over: scalars []."""
    counts = {}
    if targets.anchors is not None:
        counts["objectness"] = (targets.anchors != boxes.IGNORED).sum()
        counts["box"] = (targets.anchors == boxes.POSITIVE).sum()
    if targets.classes is not None:
        counts["classification"] = (targets.classes != PADDING).sum()
        counts["box_regression"] = ((targets.classes != PADDING) & (targets.classes < classes)).sum()
    return counts


class Whole(nn.Module):
    """A network with a parameter that nothing uses.

    Where torch knows of none, gradients lie in other buffers from the second iteration on, are added in another order
    by three processes or more, and a run that goes on does not end in the same bytes.
    """

    def __init__(self, model: FasterRCNN) -> None:
        super().__init__()
        self.model, self.unused = model, nn.Parameter(torch.zeros(1))

    def forward(self, *given: Any) -> Prediction:
        """Everything goes to the network."""
        return self.model(*given)  # type: ignore[no-any-return]


def parallel(model: FasterRCNN) -> DistributedDataParallel:
    """The network with gradients that are means over all processes, for the parameters that learn now."""
    with warnings.catch_warnings():  # the newest versions call `broadcast_buffers` by another name
        warnings.simplefilter("ignore", FutureWarning)
        return DistributedDataParallel(Whole(model), broadcast_buffers=False, find_unused_parameters=True)


def is_loss_of_a_process(error: RuntimeError) -> bool:
    """Whether an error says that another process is gone: torch.distributed has no exception of its own for it."""
    return isinstance(error, dist.DistError) or LOST.search(str(error)) is not None
