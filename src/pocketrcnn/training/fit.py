"""A run from beginning to end: what stands around the training loop, and may interrupt it."""

from __future__ import annotations

import time
from collections.abc import Generator
from inspect import GEN_CLOSED, getgeneratorstate
from typing import Any

from ..data.dataset import Dataset
from ..data.files import require_room
from ..errors import UserError
from ..evaluation.measures import Means
from ..evaluation.network import Conclude, assess, evaluate
from ..terminal import say
from .clock import Clock
from .device import DELIVERED, autocast, keep_memory, single_precision
from .finite import NotFinite, not_finite, require_finite, require_finite_metrics
from .loop import Trainer
from .machine import peak_memory_gb
from .progress import Progress
from .run import CHECKPOINT, COPIES, Run
from .signals import Interrupted, signals_noted
from .state import State
from .watchers import tell


@single_precision()
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
    state, group = trainer.state, trainer.group
    if saved := run.checkpoint():
        state.restore(*saved, run.folder / CHECKPOINT, config.train)
        run.log(state.log)
        say_another_number(state, group.count)
    else:
        needed = COPIES * sum(tensor.nbytes for tensor in state.model.state_dict().values())
        require_room(run.folder, needed, f"{run.folder}: the run takes", f"make room, or {run.another}")
    state.elapsed += spent
    state.processes = group.count
    with signals_noted() as signals, Progress(run.name, config, state.iteration, state.seconds) as progress:
        group.signals = signals
        learn(trainer, run, progress, signals)
        group.release(folder=run.folder)
        progress.say("evaluating on all test images")
        begun = time.perf_counter()
        with autocast(DELIVERED, run.device):
            test_set, monitor = trainer.test_set, config.train.monitor
            means, evaluation = assess(state.kept, test_set, config.loss, None, monitor, conclude=conclude)
        require_finite_metrics(means, "at the end, on images held out", config)
        metadata = {"threshold": evaluation.best and evaluation.best["threshold"]} if evaluation else {}
        last = time.perf_counter() - begun
        times = {"seconds": state.seconds, "elapsed": state.elapsed + last}
        times |= {"evaluation_seconds": state.evaluation_seconds + last}
        metrics = {"metrics": means, "iterations": state.iteration, **times, "peak_memory_gb": peak_memory_gb()}
        run.finish(state.kept, state.evaluated, metrics, metadata)
    if signals:  # they came during the evaluation, which ends by itself
        raise Interrupted(f"at the end of {run.name}", signals[0], run.remedy)
    return metrics


def say_another_number(state: State, count: int) -> None:
    """A line where another number of processes, `count`, goes on with a run."""
    if state.processes != count:
        here = f"{count} process{'es' if count > 1 else ''}, before it was {state.processes}"
        say(f"going on with {here}: other random numbers follow than would have, the run is not the same to the bit")


def learn(trainer: Trainer, run: Run, progress: Progress, signals: list[int]) -> None:
    """All iterations that are left; the state is saved at their end, and where the data can no longer be read (then it
    raises UserError). signals: that came, which end it.
    """
    numbers = iterations(trainer, run, progress, signals)
    try:
        trainer.train(numbers)
    except (UserError, OSError) as error:
        if isinstance(error, NotFinite) or getgeneratorstate(numbers) == GEN_CLOSED:  # or it came from between two
            raise
        save(trainer, run)
        where = f"state saved at iteration {trainer.state.iteration}"
        raise UserError(f"{error}; {where}, {run.remedy}") from error
    save(trainer, run)


def save(trainer: Trainer, run: Run) -> None:
    """Save the full state. Raises UserError where it is not finite: the one before stays."""
    require_finite(trainer.state, trainer.config)
    run.save(trainer.state.tensors(), trainer.state.metadata())


def iterations(trainer: Trainer, run: Run, progress: Progress, signals: list[int]) -> Generator[int]:
    """The numbers of the iterations that are left, as they are planned; evaluations and checkpoints between them. One
    of `signals` ends them, the state saved.
    """
    state, settings = trainer.state, trainer.config.train
    clock = Clock(state, settings, last=len(trainer.test_set) / min(settings.evaluation_images, len(trainer.test_set)))
    saved = time.perf_counter()
    while state.iteration < state.planned:
        yield state.iteration
        clock.trained()
        learned = bool(state.means.sums)  # since the last entry: batches may have been left out
        due = learned and clock.due()
        if due:
            add_log_entry(trainer, run, clock)
        progress.update(state, due)
        if signals or time.perf_counter() - saved > settings.checkpoint_seconds:
            save(trainer, run)
            saved = time.perf_counter()
        if signals:
            raise Interrupted(f"at iteration {state.iteration} of {run.name}", signals[0], run.remedy)
    if state.means.sums and state.iteration > (state.log[-1]["iteration"] if state.log else 0):
        add_log_entry(trainer, run, clock)  # resumed with fewer iterations than there are already
    if not state.log:
        raise not_finite("the loss of every batch is not finite", trainer.config)


def add_log_entry(trainer: Trainer, run: Run, clock: Clock) -> None:
    """Evaluate on some test images, write that down, and keep the network if it is the best so far."""
    trainer.state.log.append(log_entry(trainer))
    run.log(trainer.state.log)
    tell(run.folder, trainer.state.log)
    trainer.state.keep_best(trainer.config.train)
    clock.evaluated()


def log_entry(trainer: Trainer) -> dict[str, Any]:
    """The training metrics since the last entry, and the test metrics on some images."""
    state, config, settings = trainer.state, trainer.config, trainer.config.train
    training, where = state.means.result(), f"after {state.iteration} iterations"
    require_finite_metrics(training, where, config)
    with trainer.precision():
        test = evaluate(state.evaluated, trainer.test_set, config.loss, settings.evaluation_images, settings.monitor)
    require_finite_metrics(test, f"{where}, on images held out", config)
    state.means = Means()
    return {"iteration": state.iteration, "train": training, "test": test}
