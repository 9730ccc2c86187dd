"""What changes during training, and what of it a checkpoint holds."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..config import Config, TrainConfig
from ..data.dataset import Dataset
from ..errors import UserError
from ..evaluation.measures import Means
from ..model.faster_rcnn import FasterRCNN
from . import optim, schema1
from .checkpoint import require_fit
from .device import number_format
from .forms import Numbers, require_form

WHITENING, WHITENING_PIXELS = 500, 2**24  # at most so many images, and pixels, give the first filters by their patches

# Of a checkpoint; those that earlier versions do not have begin as they do in a new run.
NUMBERS = (
    *("iteration", "seconds", "log", "planned", "elapsed", "evaluation_seconds", "earlier", "phase", "phase_began"),
    "processes",
)
NEW = {"earlier": 0, "phase": 0, "phase_began": 0, "processes": 1}


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
    """Training metrics since the last log entry."""
    best: FasterRCNN | None = None
    """The network of the best log entry so far, where one is kept."""
    planned: int = 0
    """Iterations of the whole run, as they are planned now."""
    elapsed: float = 0.0
    """Seconds of the run, evaluation included."""
    evaluation_seconds: float = 0.0
    """Seconds of the evaluations for the log."""
    requested: tuple[float, int] = (0.0, 0)
    """Minutes and iterations of the configuration, behind the plan."""
    earlier: int = 0
    """Log entries from before these were requested; patience does not count them."""
    phase: int = 0
    """Which of `train.phases` goes on: see `phases`."""
    phase_began: int = 0
    """The iteration with which it began."""
    processes: int = 1
    """How many train the run together."""
    frozen: FasterRCNN | None = None
    """The network as it was then, where regions are chosen among its proposals."""

    @classmethod
    def start(cls, config: Config, train: Dataset, device: torch.device) -> State:
        """A network at its seeded beginning."""
        torch.manual_seed(config.train.seed)
        model = FasterRCNN(config.model).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        count = min(WHITENING, WHITENING_PIXELS // config.model.input_size**2, len(train))
        model.backbone.whiten(model.normalise(train.batch(torch.arange(count)).images))
        average = optim.Average(model, config.optim.average, config.train.iterations) if config.optim.average else None
        best = copied(model) if config.train.monitor else None
        optimisers = optim.build(model, config.optim, number_format(config.train.precision, device))
        return cls(model, optimisers, average, best=best).plan(config.train)

    def plan(self, settings: TrainConfig) -> State:
        """As many iterations as the configuration says, where there are not more already."""
        self.requested, self.earlier = (settings.minutes, settings.iterations), len(self.log)
        self.planned = max(self.iteration, settings.iterations)
        return self

    @property
    def kept(self) -> FasterRCNN:
        """What the run ends in: the best network where one is kept, else the evaluated one."""
        return self.best or self.evaluated

    def keep_best(self, settings: TrainConfig) -> None:
        """After an evaluation: keep the network if it is the best so far; end a run that gets no better."""
        if self.best is None:
            return
        values = [entry["test"][settings.monitor] for entry in self.log]
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
        networks = {"model": self.model, "average": self.average and self.average.model, "best": self.best}
        networks["frozen"] = self.frozen
        named = {f"{i}.{name}": t for i, net in networks.items() if net for name, t in net.state_dict().items()}
        for i, optimiser in enumerate(self.optimisers):
            parameters = [p for group in optimiser.param_groups for p in group["params"]]
            for j, parameter in enumerate(parameters):
                named |= {f"optimiser{i}.{j}.{name}": t for name, t in optimiser.state[parameter].items()}
        return named

    def restore(self, tensors: dict[str, Tensor], metadata: dict[str, Any], where: Path, settings: TrainConfig) -> None:
        """Put a checkpoint's content in place. Raises UserError when it belongs to another network.

        Where `settings` ask for another time or number of iterations than the checkpoint's, the rest is planned anew.
        """
        saved = NEW | {schema1.STATE.get(name, name): value for name, value in metadata.items()}
        saved |= {name: schema1.current_names(saved[name]) for name in ("log", "means") if name in saved}
        require_form(saved, Numbers, where, "delete it to start over")
        require_possible(saved, settings, where)
        self.prepare_optimisers(tensors)
        self.frozen = copied(self.model) if any(name.startswith("frozen.") for name in tensors) else None
        here = self.tensors()
        require_fit(here, tensors, where, "delete it to start over")
        for name, tensor in here.items():
            tensor.copy_(tensors[name])
        self.means = Means.from_plain(saved["means"])
        for name in NUMBERS:
            setattr(self, name, saved[name])
        if self.requested != tuple(saved["requested"]):
            self.plan(settings)

    def metadata(self) -> dict[str, Any]:
        """What is not a tensor, as JSON holds it."""
        numbers = {name: getattr(self, name) for name in (*NUMBERS, "requested")}
        return {"means": self.means.plain(), **numbers}

    def prepare_optimisers(self, tensors: dict[str, Tensor]) -> None:
        """Let every optimiser make the state of the parameters that it has one of in a checkpoint, by a step with
        gradient 0 and rate 0. Parts of the network that never learned have none.
        """
        learned = {tuple(name.split(".")[:2]) for name in tensors}
        optim.set_rates(self.optimisers, 0.0)
        for i, optimiser in enumerate(self.optimisers):
            for j, parameter in enumerate(p for group in optimiser.param_groups for p in group["params"]):
                parameter.grad = torch.zeros_like(parameter) if (f"optimiser{i}", str(j)) in learned else None
            optimiser.step()
            optimiser.zero_grad()


def require_possible(saved: dict[str, Any], settings: TrainConfig, where: Path) -> None:
    """Raises UserError where the numbers of a checkpoint are of the right form, and not those of such a run."""
    largest = {
        "iteration": math.inf,
        "earlier": len(saved["log"]),
        "phase": max(len(settings.phases) - 1, 0),
        "phase_began": saved["iteration"],
    }
    wrong = [f"its {name} is {saved[name]}" for name, most in largest.items() if not 0 <= saved[name] <= most]
    if settings.monitor and any(entry["test"].get(settings.monitor) is None for entry in saved["log"]):
        wrong.append(f"an evaluation has no {settings.monitor}")
    if wrong:
        raise UserError(f"{where} is damaged ({wrong[0]}): delete it to start over")


def copied(model: FasterRCNN) -> FasterRCNN:
    """A copy that does not learn."""
    return copy.deepcopy(model).eval().requires_grad_(False)
