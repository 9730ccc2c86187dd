"""Time: of training, of the whole run, and what is left of the minutes that were given."""

import math
import time

from ..config import TrainConfig
from .state import State

RESERVE = 0.03  # of the minutes, for what comes after training: the evaluation of all images, and the report
BFLOAT16_GAIN = 2.0  # the evaluation at the end, in float32, takes so much longer than in bfloat16 (docs/log.md)
TOLERANCE = 0.02  # of the iterations planned: below that a plan is not changed


class Clock:
    """Time of training and of the run; in a run of so many minutes, as many iterations as these allow."""

    def __init__(self, state: State, settings: TrainConfig, last: float = 1.0) -> None:
        """`last`: how many times the images of an evaluation on the way the one at the end has. That one is in
        float32, whatever the format of the others, which is taken into account here.
        """
        self.at_the_end = last * (BFLOAT16_GAIN if settings.precision == "bfloat16" else 1)
        self.state, self.budget = state, settings.minutes * 60 * (1 - RESERVE)
        self.evaluations, self.every = settings.evaluations, math.ceil(settings.iterations / settings.evaluations)
        self.part = self.parts_passed()
        """Of the minutes, the part in which the last evaluation was."""
        self.stood = time.perf_counter()
        self.lap = (state.iteration, state.seconds)
        """Iteration and seconds of training at the last evaluation."""
        self.cost = state.evaluation_seconds / max(1, len(state.log))
        """Seconds of the last evaluation; in a run that goes on, at first those of the mean one."""

    def passed(self) -> float:
        """Seconds since the last call."""
        now = time.perf_counter()
        self.stood, passed = now, now - self.stood
        return passed

    def trained(self) -> None:
        """After an iteration. A run whose minutes are over ends; one that would end long before them goes on."""
        passed, state = self.passed(), self.state
        state.seconds += passed
        state.elapsed += passed
        if self.budget and state.elapsed + self.cost * (1 + self.at_the_end) > self.budget:
            state.planned = state.iteration
        elif self.budget and state.iteration >= state.planned:
            self.plan(evaluations=1)

    def due(self) -> bool:
        """Whether the network should be evaluated now: at the end, and so many times spread evenly over the iterations,
        or over the minutes, however many iterations these turn out to have.
        """
        if self.state.iteration >= self.state.planned:
            return True
        return self.parts_passed() > self.part if self.budget else self.state.iteration % self.every == 0

    def parts_passed(self) -> int:
        """Of as many parts of the minutes as there are evaluations, those that are over."""
        return int(self.state.elapsed / self.budget * self.evaluations) if self.budget else 0

    def evaluated(self) -> None:
        """After an evaluation, which is not training time: plan the rest anew if it no longer fits."""
        self.cost, state = self.passed(), self.state
        state.elapsed += self.cost
        state.evaluation_seconds += self.cost
        if self.budget and state.iteration < state.planned:
            self.plan(evaluations=self.evaluations * (1 - state.iteration / state.planned))
        self.part = self.parts_passed()
        self.lap = state.iteration, state.seconds

    def plan(self, evaluations: float) -> None:
        """As many iterations as the time allows at the pace since the last evaluation; so many `evaluations` follow."""
        state, (iteration, seconds) = self.state, self.lap
        pace = (state.seconds - seconds) / max(1, state.iteration - iteration)  # seconds of an iteration
        left = self.budget - state.elapsed - self.cost * (evaluations + self.at_the_end)
        planned = state.iteration + max(int(state.iteration < state.planned), round(left / pace))
        if abs(planned - state.planned) > TOLERANCE * state.planned:
            state.planned = planned
