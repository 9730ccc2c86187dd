"""The live line of a run: progress, loss, images a second, time left. Plain lines where there is no terminal."""

from __future__ import annotations

import time

from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ..config import Config
from ..terminal import console, say
from .state import State


class Progress:
    """A bar on a terminal; elsewhere one line at every evaluation."""

    def __init__(self, name: str, config: Config, start: int, seconds: float) -> None:
        """`start` and `seconds`: iterations and seconds of training that lie behind."""
        self.name, self.config = name, config
        self.start, self.seconds, self.begun = start, seconds, time.perf_counter()
        texts = BarColumn(bar_width=24), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TextColumn("left")
        columns = ("{task.description}", *texts, TimeRemainingColumn())
        self.bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
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
