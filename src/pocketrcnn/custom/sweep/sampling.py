"""The next values of ranges, by Optuna: it looks at the trials that are done, and at those that others work on.

What a trial tries follows from the seed of the sweep, its own number and those others. A study is made anew for each:
what Optuna knows is what the folder of the sweep holds, and nothing else is to be kept.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import UserError
from .options import SweepOptions
from .space import Listed, Range, Settings, Space

if TYPE_CHECKING:
    from .record import Trial

TRIES = 20  # for values that no other trial has; where there are few, the rest is drawn


def require_optuna() -> None:
    """Raises UserError where Optuna is not installed."""
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        remedy = "`pip install '.[sweep]'` in a clone of the project, or list values (optim.lr=0.002,0.005)"
        raise UserError(f"ranges need Optuna, which is not installed: {remedy}") from error


def next_settings(options: SweepOptions, trials: Sequence[Trial]) -> Settings | None:
    """What the next trial tries, after and beside these; None where there are as many as there should be."""
    space, taken = options.space, [trial.settings for trial in trials]
    if len(trials) >= options.planned:
        return None
    if not samples(options):
        return space.next_combination(taken, options.planned, options.seed)
    for attempt in range(TRIES):
        if (settings := suggested(space, trials, seed_of(options.seed, len(trials), attempt))) not in taken:
            return settings
    finite = space.combinations < math.inf
    return space.next_combination(taken, options.planned, options.seed) if finite else settings


def samples(options: SweepOptions) -> bool:
    """Whether Optuna chooses: there are ranges, and more combinations than trials."""
    return bool(options.space.ranges) and options.planned < options.space.combinations


def seed_of(*numbers: int) -> int:
    """A seed that follows from these numbers alone."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def suggested(space: Space, trials: Sequence[Trial], seed: int) -> Settings:
    """What Optuna's tree-structured Parzen estimator would try next (at first: random values)."""
    import optuna

    distributions: dict[str, Any] = {one.name: distribution(one) for one in space.varied}
    with quiet():
        sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for trial in trials:
            study.add_trial(as_optuna(trial, distributions))
        params = study.ask(distributions).params
    return {one.name: value_of(one, params[one.name]) for one in space.varied}


def distribution(one: Listed | Range) -> Any:
    """A setting as Optuna describes it; values of a list are texts there."""
    from optuna import distributions

    if isinstance(one, Listed):
        return distributions.CategoricalDistribution([json.dumps(value) for value in one.values])
    kind = distributions.IntDistribution if one.whole else distributions.FloatDistribution
    return kind(one.low, one.high, log=one.log)


def as_optuna(trial: Trial, distributions: dict[str, Any]) -> Any:
    """A trial as Optuna knows one: done with a value, failed, or being worked on."""
    import optuna

    states = optuna.trial.TrialState
    state = states.RUNNING if trial.state == "begun" else states.FAIL if trial.mean is None else states.COMPLETE
    listed = optuna.distributions.CategoricalDistribution
    params = {
        name: json.dumps(value) if isinstance(distributions[name], listed) else value
        for name, value in trial.settings.items()
    }
    value = trial.mean if state == states.COMPLETE else None
    return optuna.trial.create_trial(state=state, value=value, params=params, distributions=distributions)


def value_of(one: Listed | Range, param: Any) -> Any:
    """A value as this package takes it."""
    return json.loads(param) if isinstance(one, Listed) else one.rounded(param)


@contextmanager
def quiet() -> Iterator[None]:
    """Optuna tells of each study and trial on standard error: not here."""
    from optuna import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(before)
