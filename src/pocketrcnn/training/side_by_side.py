"""A set of runs: one after the other on all threads, or several side by side on one thread each.

Small networks on small images keep one thread busier than two: so two runs at once may be over sooner than one after
the other. Which of the two is faster is measured once per machine and network, and kept.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any

import torch

from ..errors import UserError
from ..terminal import say
from .machine import memory_gb
from .measured import remember, remembered
from .processes import Child, Work, children
from .progress import SetProgress
from .signals import Interrupted, signals_noted
from .timing import alternate
from .watchers import heard_by

MEMORY_GB = 1.6  # of a run: the largest networks of the project, with torch itself and their data
WORTH_TIMING = 400  # iterations of a whole set: fewer are done sooner than the two ways are timed
ROUNDS = 8  # in which the two ways are timed in turn
TICK = 0.5  # seconds until a signal is noticed
SAME_COMMAND = "the same command goes on from here"


@dataclass(frozen=True)
class Job:
    """A run to train. kind: runs of one kind take about the same time for an iteration. given: what `work` gets."""

    name: str
    kind: str
    iterations: int
    given: Any


def train_all(
    work: Work,
    jobs: Sequence[Job],
    workers: int,
    remedy: str = SAME_COMMAND,
    *,
    noun: str = "runs",
    silent: bool = False,
) -> list[Any]:
    """What `work` returns for each job, in their order. workers 1: one by one, in this process, on all threads.

    More: so many processes of one thread each, jobs taken in order; `work` is a function of a module, it and all that
    it gets and returns can be pickled. remedy: how an interrupted set goes on. noun: what the jobs are called. silent:
    whether runs in this process say nothing, so that the bar of the set is shown. Raises Interrupted, and the UserError
    or OSError of a run, once the others are saved; UserError where the process of a run is killed.
    """
    progress = SetProgress([(job.kind, job.iterations) for job in jobs], workers, noun)
    if workers == 1:
        with progress.bar if silent else nullcontext():
            return one_by_one(work, jobs, progress, remedy, silent)
    return side_by_side(work, jobs, min(workers, len(jobs)), progress, remedy)


def one_by_one(work: Work, jobs: Sequence[Job], progress: SetProgress, remedy: str, silent: bool) -> list[Any]:
    """Each job in this process."""
    results = []
    for number, job in enumerate(jobs):
        progress.begin(number)
        if len(jobs) > 1 and not silent:
            say(f"run {number + 1} of {len(jobs)}{progress.left_in_words()}")
        try:
            with heard_by(partial(progress.update, number)):
                results.append(work(job.given))
        except Interrupted as error:
            raise Interrupted(error.where, error.code - 128, remedy) from None
        progress.end(number)
    return results


def side_by_side(work: Work, jobs: Sequence[Job], workers: int, progress: SetProgress, remedy: str) -> list[Any]:
    """The jobs in so many processes."""
    waiting, results = list(reversed(range(len(jobs)))), dict[int, Any]()
    busy: dict[Connection, tuple[Child, int]] = {}

    def next_job(child: Child) -> None:
        if waiting:
            number = waiting.pop()
            progress.begin(number)
            busy[child.connection] = child, number
            with suppress(OSError):  # it has ended: `answer` says so
                child.connection.send(jobs[number].given)

    with signals_noted() as signals, progress.bar, children(work, workers) as team:
        for child in team:
            next_job(child)
        while busy:
            for connection in set(busy) & set(wait(list(busy), TICK)):
                child, number = busy[connection]
                kind, content = answer(child, jobs[number].name, remedy)
                if kind == "progress":
                    progress.update(number, *content)
                else:
                    del busy[connection]
                    results[number] = content
                    progress.end(number)
                    progress.say_finished()
                    next_job(child)
            if signals:
                raise Interrupted(f"after {len(results)} of {len(jobs)} {progress.noun}", signals[0], remedy)
    return [results[number] for number in range(len(jobs))]


def answer(child: Child, name: str, remedy: str) -> tuple[str, Any]:
    """What a child says of its job; raises what it failed with."""
    try:
        kind, content = child.connection.recv()
    except (EOFError, OSError):
        reason = child.end()
        advice = "; where memory is short, use --workers 1" if reason.endswith(" 9") else ""
        raise UserError(f"{name}: its process ended ({reason}), the other runs are saved; {remedy}{advice}") from None
    if kind == "failed":
        raise content
    return kind, content


class Steps:
    """Iterations of a run, one at each call. prepare(given) returns a function that does one; a child calls it, too."""

    def __init__(self, prepare: Callable[[Any], Callable[[], Any]], given: Any) -> None:
        self.prepare, self.given = prepare, given
        self.step: Callable[[], Any] | None = None

    def __call__(self, _: None = None) -> None:
        self.step = self.step or self.prepare(self.given)
        self.step()


def choose_workers(asked: int | None, jobs: int, device: torch.device, name: str, steps: Steps) -> int:
    """How many of `jobs` runs are trained at a time: `asked`, or what is faster here; says why in a line.

    steps: iterations of such a run, which have not begun. name: what they are, under which their times are kept.
    """
    if asked is not None:
        return max(1, min(asked, jobs))
    most = min(jobs, torch.get_num_threads(), int((memory_gb() or MEMORY_GB) / MEMORY_GB))
    if most < 2 or device.type == "cuda" or multiprocessing.current_process().daemon:
        return 1
    alone, together = seconds_of_both(f"{name}, {most} side by side", steps, most)
    shared = together * math.ceil(jobs / most) / jobs  # the last ones may have fewer beside them
    if shared < alone:
        say(f"{most} runs side by side, one thread each: {shared * 1e3:.0f} ms an iteration against {alone * 1e3:.0f}")
        return most
    say(f"one run at a time: {alone * 1e3:.0f} ms an iteration against {shared * 1e3:.0f} for {most} side by side")
    return 1


def seconds_of_both(name: str, steps: Steps, workers: int) -> tuple[float, float]:
    """Seconds of an iteration alone on all threads, and of one in each of so many processes; kept for this machine."""
    key = f"seconds of an iteration: {name}"
    match remembered(key):
        case [float(alone), float(together)]:
            return alone, together
    with children(steps, workers) as team:

        def all_at_once() -> None:
            for child in team:
                child.connection.send(None)
            for child in team:
                answer(child, name, "start again")

        alone, together = alternate(Steps(steps.prepare, steps.given), all_at_once, ROUNDS)
    remember(key, [alone, together])
    return alone, together
