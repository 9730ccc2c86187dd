"""Time: of training, of the whole run, and what is left of the minutes that were given."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .config import TrainConfig

if TYPE_CHECKING:
    from .engine import State

RESERVE = 0.03  # of the minutes, for what comes after training: the figures in full, and the report
TOLERANCE = 0.02  # of the iterations planned: below that a plan is not changed


class Clock:
    """Time of training and of the run; in a run of so many minutes, as many iterations as these allow."""

    def __init__(self, state: State, settings: TrainConfig) -> None:
        self.state, self.budget = state, settings.minutes * 60 * (1 - RESERVE)
        self.points = settings.evaluations
        self.last = time.perf_counter()
        self.lap = (state.iteration, state.seconds)
        """Iteration and seconds of training at the last point of the curves."""

    def passed(self) -> float:
        """Seconds since the last call."""
        now = time.perf_counter()
        self.last, passed = now, now - self.last
        return passed

    def trained(self) -> None:
        """After an iteration. A run whose minutes are over ends."""
        passed = self.passed()
        self.state.seconds += passed
        self.state.elapsed += passed
        if self.budget and self.state.elapsed > self.budget:
            self.state.planned = self.state.iteration

    def evaluated(self) -> None:
        """After a point of the curves, which is not training time: plan the rest anew if it no longer fits."""
        passed = self.passed()
        self.state.elapsed += passed
        self.state.judging += passed
        state, (iteration, seconds) = self.state, self.lap
        self.lap = state.iteration, state.seconds
        if not self.budget or state.iteration >= state.planned:
            return
        pace = (state.seconds - seconds) / max(1, state.iteration - iteration)  # seconds of an iteration
        part_left = 1 - state.iteration / state.planned
        left = self.budget - state.elapsed - passed * (self.points * part_left + 1)  # points, and the last evaluation
        planned = state.iteration + max(1, round(left / pace))
        if abs(planned - state.planned) > TOLERANCE * state.planned:
            state.planned = planned
