"""A run from beginning to end: what stands around the training loop, and may interrupt it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

from ..data.dataset import Dataset
from ..errors import UserError
from ..evaluation.measures import Means
from ..evaluation.network import Conclude, assess, evaluate
from .clock import Clock
from .device import DELIVERED, autocast, keep_memory
from .loop import Trainer
from .machine import peak_memory_gb
from .progress import Progress
from .run import CHECKPOINT, Run
from .signals import Interrupted, signals_noted


def fit(
    train: Dataset, test: Dataset, run: Run, spent: float = 0.0, conclude: Conclude | None = None
) -> dict[str, Any]:
    """Train as the run is configured, or go on from its checkpoint; returns and saves the final metrics.

    `spent`: seconds of the run's minutes that its preparation took. `conclude`: evaluates and writes ground truth and
    detections of all test images; the weights keep its best threshold. A run is finished once that is written. A
    finished run returns its metrics at once. Raises Interrupted after Ctrl-C or SIGTERM, the state saved.
    """
    done = run.metrics()
    if done is not None:
        return done
    config = run.config
    keep_memory()
    trainer = Trainer(config, train, test, run.device)
    state = trainer.state
    if saved := run.checkpoint():
        state.restore(*saved, run.folder / CHECKPOINT, config.train)
        run.log(state.log)
    state.elapsed += spent
    with signals_noted() as signals, Progress(run.name, config, state.iteration, state.seconds) as progress:
        trainer.train(iterations(trainer, run, progress, signals))
        progress.say("evaluating on all test images")
        begun = time.perf_counter()
        with autocast(DELIVERED, run.device):
            test_set, monitor = trainer.test_set, config.train.monitor
            means, evaluation = assess(state.kept, test_set, config.loss, None, monitor, conclude=conclude)
        metadata = {"threshold": evaluation.best and evaluation.best["threshold"]} if evaluation else {}
        last = time.perf_counter() - begun
    times = {"seconds": state.seconds, "elapsed": state.elapsed + last}
    times |= {"evaluation_seconds": state.evaluation_seconds + last}
    metrics = {"metrics": means, "iterations": state.iteration, **times, "peak_memory_gb": peak_memory_gb()}
    run.finish(state.kept, state.evaluated, (state.tensors(), state.metadata()), metrics, metadata)
    if signals:  # they came during the evaluation, which ends by itself
        raise Interrupted(f"at the end of {run.name}", signals[0], run.remedy)
    return metrics


def iterations(trainer: Trainer, run: Run, progress: Progress, signals: list[int]) -> Iterator[int]:
    """The numbers of the iterations that are left, as they are planned; evaluations and checkpoints between them."""
    state, settings = trainer.state, trainer.config.train
    every = math.ceil(settings.iterations / settings.evaluations)
    clock = Clock(state, settings, last=len(trainer.test_set) / min(settings.evaluation_images, len(trainer.test_set)))
    saved = time.perf_counter()
    while state.iteration < state.planned:
        yield state.iteration
        clock.trained()
        due = state.iteration % every == 0 or state.iteration >= state.planned
        if due:
            add_log_entry(trainer, run, clock)
        progress.update(state, due)
        if signals or time.perf_counter() - saved > settings.checkpoint_seconds:
            run.save(state.tensors(), state.metadata())
            saved = time.perf_counter()
        if signals:
            raise Interrupted(f"at iteration {state.iteration} of {run.name}", signals[0], run.remedy)
    if state.iteration > (state.log[-1]["iteration"] if state.log else 0):
        add_log_entry(trainer, run, clock)  # resumed with fewer iterations than there are already


def add_log_entry(trainer: Trainer, run: Run, clock: Clock) -> None:
    """Evaluate on some test images, write that down, and keep the network if it is the best so far."""
    trainer.state.log.append(log_entry(trainer))
    run.log(trainer.state.log)
    trainer.state.keep_best(trainer.config.train)
    clock.evaluated()


def log_entry(trainer: Trainer) -> dict[str, Any]:
    """The training metrics since the last entry, and the test metrics on some images."""
    state, config, settings = trainer.state, trainer.config, trainer.config.train
    training, state.means = state.means.result(), Means()
    for name, value in training.items():
        if not math.isfinite(value):
            raise UserError(
                f"{name} is no longer a finite number at iteration {state.iteration}: lower optim.lr "
                f"(now {config.optim.lr:g}) or look for broken images"
            )
    with trainer.precision():
        test = evaluate(state.evaluated, trainer.test_set, config.loss, settings.evaluation_images, settings.monitor)
    return {"iteration": state.iteration, "train": training, "test": test}
