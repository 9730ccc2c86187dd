"""The live line of a run: progress, loss, images a second, time left; and that of a set of runs.

Plain lines where there is no terminal.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ..config import Config
from ..screen import console
from ..terminal import redirected, say
from .state import State
from .watchers import tell_iteration

HOURS, MINUTES = 7200, 120  # seconds from which on a time is given in these


class Progress:
    """A bar on a terminal; elsewhere one line at every evaluation."""

    def __init__(self, name: str, config: Config, start: int, seconds: float) -> None:
        """`start` and `seconds`: iterations and seconds of training that lie behind."""
        self.name, self.config = name, config
        self.start, self.seconds, self.begun = start, seconds, time.perf_counter()
        texts = BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TextColumn("left")
        columns = ("{task.description}", *texts, TimeRemainingColumn())
        self.bar = Bar(*columns, console=console, transient=True, disable=redirected() or not console.is_terminal)
        self.task = self.bar.add_task(name, total=config.train.iterations, completed=start, rate="")

    def __enter__(self) -> Progress:
        if self.start:
            say(f"{self.name}: going on at iteration {self.start}")
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def say(self, text: str) -> None:
        """What happens now, on the live line."""
        self.bar.update(self.task, rate=text)

    def update(self, state: State, due: bool) -> None:
        """After an iteration; `due` after a new log entry."""
        self.bar.update(self.task, completed=state.iteration, total=state.planned, rate=self.rate(state))
        tell_iteration(state.iteration, state.planned)
        if due and self.bar.disable:
            done = max(1, state.iteration - self.start)
            left = (time.perf_counter() - self.begun) / done * (state.planned - state.iteration)
            say(f"{self.name}  {state.iteration}/{state.planned}  {self.rate(state)}  {left:.0f} s left")

    def rate(self, state: State) -> str:
        """Loss, and speed of training without evaluation, in words."""
        done = state.iteration - self.start
        speed = done * self.config.train.batch / max(state.seconds - self.seconds, 1e-9)
        loss = f"loss {state.log[-1]['train']['loss_total']:.4g}  " if state.log else ""
        return f"{loss}{speed:.0f} images/s"


@dataclass
class Part:
    """What is known of a run of a set: iterations in all, done, and done in this call; seconds that these took."""

    kind: str
    planned: int
    done: int = 0
    fresh: int = 0
    begun: float | None = None
    seconds: float = 0.0


class SetProgress:
    """The runs of a set: how many are finished, and the time that is left for all of them."""

    def __init__(self, runs: Sequence[tuple[str, int]], workers: int, noun: str = "runs") -> None:
        """runs: kind and iterations of each; runs of one kind take the same time for an iteration. noun: what they are
        called."""
        self.parts, self.workers = [Part(kind, iterations) for kind, iterations in runs], workers
        self.noun = noun
        columns = (
            "{task.description}",
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("iterations{task.fields[left]}"),
        )
        self.bar = Bar(*columns, console=console, transient=True, disable=redirected() or not console.is_terminal)
        self.task = self.bar.add_task("", total=None, left="")
        self.finished = 0
        self.show()

    def begin(self, number: int) -> None:
        """A run begins."""
        self.parts[number].begun = time.perf_counter()

    def update(self, number: int, done: int, planned: int) -> None:
        """A run has done so many iterations of those that are planned."""
        part = self.parts[number]
        part.fresh += done - part.done if part.fresh else 1  # what lies behind a run that goes on took no time now
        part.done, part.planned = done, planned
        part.seconds = time.perf_counter() - (part.begun or 0.0)
        self.show()

    def end(self, number: int) -> None:
        """A run is finished."""
        part = self.parts[number]
        part.fresh += part.planned - part.done if part.fresh else 0
        part.done, part.seconds = part.planned, time.perf_counter() - (part.begun or 0.0)
        self.finished += 1
        self.show()

    def show(self) -> None:
        """The bar, brought up to date."""
        done, planned = (sum(getattr(part, name) for part in self.parts) for name in ("done", "planned"))
        words = f"{self.finished} of {len(self.parts)} {self.noun}"
        self.bar.update(self.task, completed=done, total=planned, description=words, left=self.left_in_words())

    def say_finished(self) -> None:
        """A line for a run that is finished, where there is no bar."""
        if self.bar.disable:
            say(f"{self.finished} of {len(self.parts)} {self.noun}{self.left_in_words()}")

    def left_in_words(self) -> str:
        """`, 24 min left`; nothing where nothing is left, or not known yet."""
        left = self.left()
        return f", {duration(left)} left" if left else ""

    def left(self) -> float | None:
        """Seconds until all are finished, at the pace so far; None where none is known."""
        if not any(part.fresh for part in self.parts):
            return None
        needed = [(part.planned - part.done) * self.pace(part.kind) for part in self.parts]
        begun = [part.begun is not None for part in self.parts]
        free = [seconds for seconds, at_work in zip(needed, begun, strict=True) if at_work and seconds]
        free += [0.0] * (self.workers - len(free))
        heapq.heapify(free)
        for seconds in (seconds for seconds, at_work in zip(needed, begun, strict=True) if not at_work):
            heapq.heapreplace(free, free[0] + seconds)  # by whoever is free first
        return max(free)

    def pace(self, kind: str) -> float:
        """Seconds of an iteration of such runs; where there were none yet, of all."""
        timed = [part for part in self.parts if part.fresh]
        alike = [part for part in timed if part.kind == kind] or timed
        return sum(part.seconds for part in alike) / sum(part.fresh for part in alike)


def duration(seconds: float) -> str:
    """Seconds, minutes or hours in words."""
    if seconds < MINUTES:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < HOURS else f"{seconds / 3600:.1f} h"
