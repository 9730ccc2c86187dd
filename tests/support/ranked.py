"""`pocketrcnn WORDS` as a program of its own, for torchrun, which is told by its environment to differ in some way.

FIXED: BatchNorm keeps to its statistics, so that what is learned from a batch does not depend on how it is cut.
STATES, a folder: each process writes a hash of what it ends in there. DIES, `RANK:ITERATION`: that process is killed
there, before it was started again. POISONED, `RANK:ITERATION`: its losses there are not numbers. Tests that train in
their own process take the functions.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

from torch import Tensor, nn

from pocketrcnn.cli.main import run
from pocketrcnn.config import LossConfig
from pocketrcnn.model.faster_rcnn import FasterRCNN, Prediction, Targets
from pocketrcnn.model.structures import Batch
from pocketrcnn.training.checkpoint import checksum
from pocketrcnn.training.launch import launch
from pocketrcnn.training.loop import Trainer

train_only, losses, train, batch = FasterRCNN.train_only, FasterRCNN.losses, Trainer.train, Trainer.batch
called = [0]  # how often losses were asked for
PLAIN = (
    *("model.rpn.sample=0", "model.roi.train_box=truth", "augment.flip=none", "augment.zoom=[1,1]", "augment.aspect=0"),
    *(f"augment.{name}=0" for name in ("translate", "brightness", "contrast", "gamma", "saturation")),
)
"""Settings with which nothing is drawn at random but the order of the images."""


def with_fixed_statistics(self: FasterRCNN, parts: Collection[str]) -> None:
    """As before, and no BatchNorm looks at the batch."""
    train_only(self, parts)
    for norm in (module for module in self.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.eval()


def writing_its_state(self: Trainer, iterations: Iterable[int]) -> None:
    """As before, and the hash of what it ends in is written."""
    train(self, iterations)
    tensors = {name: tensor for name, tensor in sorted(self.state.tensors().items()) if not name.startswith("best.")}
    (Path(os.environ["STATES"]) / f"{launch().rank}").write_text(checksum(tensors, ""), encoding="utf-8")


def dying(self: Trainer, iteration: int) -> Batch:
    """As before, unless this is the end."""
    rank, when = map(int, os.environ["DIES"].split(":"))
    if (launch().rank, launch().restarts, iteration) == (rank, 0, when):
        os.kill(os.getpid(), signal.SIGKILL)
    return batch(self, iteration)


def poisoned(self: FasterRCNN, prediction: Prediction, targets: Targets, config: LossConfig) -> dict[str, Tensor]:
    """As before, once for each iteration of a process that evaluates nothing, but for one."""
    rank, when = map(int, os.environ["POISONED"].split(":"))
    called[0] += 1
    factor = math.nan if (launch().rank, called[0]) == (rank, when) else 1.0
    return {name: loss * factor for name, loss in losses(self, prediction, targets, config).items()}


def torchrun(processes: int, *words: object, options: Collection[str] = ("--standalone",), **told: object) -> list[str]:
    """The command that starts `pocketrcnn WORDS` in so many processes. told: their environment besides."""
    environment = {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "PYTHONPATH": os.pathsep.join(sys.path)} | told
    run = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}", *options, "-m", "ranked"]
    return ["env", *(f"{name}={value}" for name, value in environment.items()), *run, *map(str, words)]


def finish(command: list[str], folder: Path) -> tuple[int, str, str]:
    """Exit code and what was said, in a folder."""
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    return ended.returncode, ended.stdout, ended.stderr


if __name__ == "__main__":
    if "FIXED" in os.environ:
        FasterRCNN.train_only = with_fixed_statistics  # type: ignore[method-assign]
    if "STATES" in os.environ:
        Trainer.train = writing_its_state  # type: ignore[method-assign]
    if "POISONED" in os.environ:
        FasterRCNN.losses = poisoned  # type: ignore[method-assign]
    if "DIES" in os.environ:
        Trainer.batch = dying  # type: ignore[method-assign]
    run()
