"""What children do in tests of runs side by side: functions of a module, as a new process finds them."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import torch
from runs_in_seconds import small, train_on_sample

from pocketrcnn.errors import UserError
from pocketrcnn.training.signals import Interrupted, signals_noted


def about(number: int) -> tuple[int, int, int, str | None]:
    """A number, the process, its threads, and the script that it thinks it is."""
    print("nobody sees this")
    return number, os.getpid(), torch.get_num_threads(), getattr(sys.modules["__main__"], "__file__", None)


def sample_run(folder: Path) -> int:
    """A run of six iterations."""
    metrics = train_on_sample(folder, small("B2")).metrics()
    return int(metrics["iterations"]) if metrics else 0


def until_stopped(folder: Path) -> None:
    """What a long run does: it notes signals, and saves its state before it ends."""
    with signals_noted() as signals:
        (folder / "begun").write_text(str(os.getpid()))
        while not signals:
            time.sleep(0.02)
        (folder / "saved").write_text("all")
        raise Interrupted("at iteration 3 of a run", signals[0], "go on")


def one_of_each(folder: Path) -> None:
    """A run that goes on until it is stopped, or, as its folder is called, one that fails or is killed once the other
    has begun."""
    if folder.name == "long":
        until_stopped(folder)
    while not (folder.parent / "long" / "begun").exists():
        time.sleep(0.02)
    if folder.name == "refused":
        raise UserError("the images are gone: bring them back")
    os.kill(os.getpid(), signal.SIGKILL)


def prepared(seconds: dict[int, float]) -> object:
    """Iterations that take so long, by the number of threads."""
    return lambda: time.sleep(seconds[torch.get_num_threads()])
