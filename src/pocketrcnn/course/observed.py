"""An observation of the report, decided by what was measured of its arms: the record of results.json."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..model import costs
from ..training.run import Run
from .experiments import NETWORKS
from .observations import ARMS, Observation
from .quantities import quantity
from .report.records import Observed, ObservedArm
from .verdicts import Outcome, compare, overall

Measured = Mapping[str, Mapping[str, Sequence[float]]]
"""By arm and measure: one value a seed, from the first on; where arms are timed, one a round."""


def measured(observation: Observation, runs: Mapping[str, Sequence[Run]]) -> Measured:
    """All measures of an observation, from the finished runs of its arms, seed by seed."""
    compared = [side.measure for one in observation.comparisons for side in (one.left, one.right)]
    measures = dict.fromkeys((*compared, *observation.measures))
    return {
        arm: {measure: [quantity(run, measure) for run in of_arm] for measure in measures}
        for arm, of_arm in runs.items()
    }


def outcomes(observation: Observation, values: Measured) -> list[Outcome]:
    """What came of each comparison."""
    return [
        compare(one, lambda side: dict(enumerate(values[side.arm].get(side.measure, ()))))
        for one in observation.comparisons
    ]


def observe(observation: Observation, recipe: str, values: Measured, facts: Mapping[str, Any]) -> Observed:
    """The record of an observation under a recipe. facts: iterations of the arms by name, command, environment."""
    made, environment = outcomes(observation, values), facts["environment"]
    return Observed(
        id=observation.id,
        claim=observation.claim,
        recipe=recipe,
        verdict=overall(made),
        seeds=max(one.n for one in made),
        outcomes=made,
        arms={name: arm_record(name, recipe, facts["iterations"][name], values[name]) for name in values},
        command=facts["command"],
        versions=environment["versions"],
        hardware=environment["hardware"],
    )


def arm_record(name: str, recipe: str, iterations: int, measures: Mapping[str, Sequence[float]]) -> ObservedArm:
    """What an arm is, and what was measured of it."""
    arm = ARMS[name]
    settings = {} if arm.is_plain(recipe) else {key.replace("__", "."): str(value) for key, value in arm.settings}
    return ObservedArm(
        words=arm.words,
        experiment=arm.experiment.id,
        settings=settings,
        iterations=iterations,
        multiplications=costs.multiplications(costs.layers(NETWORKS[arm.experiment.network])),
        measures={measure: list(values) for measure, values in measures.items()},
    )
