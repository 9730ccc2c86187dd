"""The observations as data: arms that differ in what a claim is about, and what `--only` makes of their names.

Covers `course/only.py`.
"""

import pytest

from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.course.observations import ARMS, OBSERVATIONS
from pocketrcnn.course.only import chosen
from pocketrcnn.course.report.explained import EXPLAINED
from pocketrcnn.course.report.measures import MEASURES
from pocketrcnn.errors import UserError
from pocketrcnn.training.config_file import flat, to_dict

SIZE = 500, "cifar10", 0


def test_there_are_seven() -> None:
    assert list(OBSERVATIONS) == ["A1", "A2", "A3", "A4", "A5", "A6", "A7"] == list(EXPLAINED)


@pytest.mark.parametrize("recipe", ["pocket", "course"])
@pytest.mark.parametrize("name", ARMS)
def test_an_arm_differs_from_its_experiment_in_its_settings_alone(name: str, recipe: str) -> None:
    arm = ARMS[name]
    own, base = (flat(to_dict(it.config(recipe, *SIZE))) for it in (arm, arm.experiment))
    changed = {key for key in own if own[key] != base.get(key)}
    assert changed <= {key.replace("__", ".") for key, _ in arm.settings}
    assert arm.is_plain(recipe) == (not changed)


@pytest.mark.parametrize("recipe", ["pocket", "course"])
def test_arms_with_the_same_settings_are_one(recipe: str) -> None:
    """The published procedure crops the true box with weights (1, 100, 1); ours crops it with noise."""
    plain = {name for name, arm in ARMS.items() if arm.is_plain(recipe)} - set(EXPERIMENTS)
    assert (
        plain
        == {"course": {"true-box", "box-100"}, "pocket": {"jittered-box", "fresh-scenes", "pocket-weights"}}[recipe]
    )


@pytest.mark.parametrize("id", OBSERVATIONS)
def test_every_arm_and_measure_is_known(id: str) -> None:
    observation = OBSERVATIONS[id]
    assert set(observation.arms) <= set(ARMS)
    sides = [side for one in observation.comparisons for side in (one.left, one.right)]
    assert {*(side.measure for side in sides), *observation.measures} <= set(MEASURES)
    assert any(not one.beside for one in observation.comparisons)
    assert "course" in observation.recipes


def test_only_takes_experiments_and_observations() -> None:
    experiments, observations = chosen("F2,a4")
    assert ([e.id for e in experiments], [o.id for o in observations]) == (["F2"], ["A4"])
    assert chosen("") == ([e for e in EXPERIMENTS.values() if e.by_default], [])


@pytest.mark.parametrize(
    ("recipe", "ids"),
    [("course", "A1 A2 A3 A4 A5 A6 A7"), ("pocket", "A1 A2 A4 A6 A7"), ("both", "A1 A2 A3 A4 A5 A6 A7")],
)
def test_a_is_every_observation_that_makes_sense(recipe: str, ids: str) -> None:
    experiments, observations = chosen("A", recipe)
    assert (experiments, [o.id for o in observations]) == ([], ids.split())


def test_an_observation_about_the_other_recipe_is_refused_with_the_remedy() -> None:
    with pytest.raises(UserError, match="A3 is about the course recipe, not pocket: add --recipe course"):
        chosen("A3", "pocket")


def test_an_unknown_observation_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(
        UserError, match=r"--only A8: no such experiment \(did you mean `A\d?`\?\); there are A, A1, A2"
    ):
        chosen("A8")
