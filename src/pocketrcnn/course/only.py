"""What `--only` names: experiments, parts of the report that are made from them, and observations. No torch here."""

from ..errors import UserError, nearest
from .experiments import EXPERIMENTS, Experiment
from .observations import OBSERVATIONS, Observation

# Parts of the report that need no training: what they are made from.
DERIVED = {"B4": ("B1", "B2", "B3"), "F1": ("R2",)}
ALL_OBSERVATIONS = "A"


def names() -> list[str]:
    """Everything that `--only` knows."""
    return [*EXPERIMENTS, *DERIVED, ALL_OBSERVATIONS, *OBSERVATIONS]


def chosen(only: str, recipe: str = "both") -> tuple[list[Experiment], list[Observation]]:
    """What a list such as `B1,F2,A4` names; all default experiments and no observation for an empty list.

    `A` is all observations that make sense under the recipe. Raises UserError for an unknown name, or an observation
    that is about another recipe.
    """
    if not only:
        return [e for e in EXPERIMENTS.values() if e.by_default], []
    wanted: list[str] = []
    there = f"there are {', '.join(sorted(names()))}"
    for name in (part.strip().upper() for part in only.split(",")):
        if not name:
            raise UserError(f"--only {only}: an experiment is missing beside a comma: write them as in B1,F2; {there}")
        if name not in names():
            raise UserError(f"--only {name}: no such experiment{nearest(name, names())}; {there}")
        if name in OBSERVATIONS and not makes_sense(OBSERVATIONS[name], recipe):
            about = OBSERVATIONS[name].recipes[0]
            raise UserError(f"--only {name}: {name} is about the {about} recipe, not {recipe}: add --recipe {about}")
        every = [o.id for o in OBSERVATIONS.values() if makes_sense(o, recipe)]
        wanted += every if name == ALL_OBSERVATIONS else DERIVED.get(name, (name,))
    experiments = [e for e in EXPERIMENTS.values() if e.id in wanted]
    return experiments, [o for o in OBSERVATIONS.values() if o.id in wanted]


def makes_sense(observation: Observation, recipe: str) -> bool:
    """Whether an observation can be made under a recipe, or under one of `both`."""
    return recipe == "both" or recipe in observation.recipes
