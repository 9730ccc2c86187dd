"""Which runs `reproduce` needs, where they live, and which of them are finished."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..config import Config, replace
from ..training.run import Run, saved
from .experiments import EXPERIMENTS, RECIPES, Experiment
from .observations import ARMS, OBSERVATIONS, Arm, Observation
from .only import chosen, makes_sense
from .options import Options

RUNS = "runs"
SEEDS, MORE_SEEDS = 3, 5  # of an observation, and where these leave it undecided

Line = tuple[str, Experiment]
"""Of results.json: a recipe and an experiment."""
Claim = tuple[str, Observation]
"""A recipe and an observation."""


@dataclass(frozen=True)
class Plan:
    """What the options name, and everything else that the output folder may hold."""

    lines: list[Line]
    claims: list[Claim]
    other_lines: list[Line]
    other_claims: list[Claim]


@dataclass(frozen=True)
class Planned:
    """One run as a whole: what a process needs to train it. kind: runs of one kind take about the same time."""

    folder: Path
    kind: str
    config: Config
    device: str


def plan(options: Options) -> Plan:
    """Experiments and observations under the recipes of the options. Raises UserError for what is unknown."""
    recipes = list(RECIPES) if options.recipe == "both" else [options.recipe]
    experiments, observations = chosen(options.only, options.recipe)
    lines = [(recipe, experiment) for recipe in recipes for experiment in experiments]
    claims = [(recipe, one) for recipe in recipes for one in observations if makes_sense(one, recipe)]
    every_line = [(recipe, experiment) for recipe in RECIPES for experiment in EXPERIMENTS.values()]
    every_claim = [(recipe, one) for recipe in RECIPES for one in OBSERVATIONS.values() if makes_sense(one, recipe)]
    return Plan(
        lines,
        claims,
        [line for line in every_line if line not in lines],
        [claim for claim in every_claim if claim not in claims],
    )


def runs_of_lines(options: Options, lines: Iterable[Line], seeds: int | None = None) -> list[Planned]:
    """The runs of experiments, seed by seed."""
    seeds = seeds or options.seeds or 1
    return [planned(options, plain(e), recipe, options.seed + i) for recipe, e in lines for i in range(seeds)]


def runs_of_claims(options: Options, claims: Iterable[Claim], seeds: int) -> list[Planned]:
    """The runs of all arms that observations need, each once; all arms of a seed before the next seed."""
    arms = dict.fromkeys((recipe, name) for recipe, one in claims if not one.timed for name in one.arms)
    runs = [planned(options, ARMS[name], recipe, options.seed + i) for i in range(seeds) for recipe, name in arms]
    return list({run.folder: run for run in runs}.values())


def seeds_of_claims(options: Options) -> int:
    """Runs of each arm, before any observation is left undecided."""
    return SEEDS if options.seeds is None else options.seeds


def plain(experiment: Experiment) -> Arm:
    """An experiment as an arm: with its own settings."""
    return Arm("", experiment, experiment.title)


def planned(options: Options, arm: Arm, recipe: str, seed: int) -> Planned:
    """One run of an arm."""
    iterations, source = options.iterations_of(arm.experiment), options.source_of(arm.experiment)
    config = replace(
        arm.config(recipe, iterations, source, seed),
        train__batch=options.batch,
        train__checkpoint_seconds=options.checkpoint,
        train__precision=options.precision,
    )
    kind = f"{arm.experiment.id}, {recipe} recipe"
    return Planned(run_folder(options, arm, recipe, seed), kind, config, options.device)


def run_folder(options: Options, arm: Arm, recipe: str, seed: int) -> Path:
    """Where a run lives: its name says what it is, so that other schedules, recipes and arms stand beside it."""
    sample = "-sample" if options.data == "sample" else ""
    name = "" if arm.is_plain(recipe) else f"-{arm.name}"
    size = options.iterations_of(arm.experiment)
    return options.out / RUNS / f"{arm.experiment.id}-{recipe}-{size}{sample}{name}-seed{seed}"


def finished(options: Options, line: Line, device: torch.device) -> list[Run]:
    """The finished runs of an experiment, seed by seed from the first one, also those of earlier calls."""
    recipe, experiment = line
    return finished_runs(options, plain(experiment), recipe, device)


def finished_runs(options: Options, arm: Arm, recipe: str, device: torch.device) -> list[Run]:
    """The finished runs of an arm, seed by seed from the first one of the options."""
    runs: list[Run] = []
    while config := saved(folder := run_folder(options, arm, recipe, options.seed + len(runs))):
        run = Run(folder, config, device)
        if run.metrics() is None:
            break
        runs.append(run)
    return runs
