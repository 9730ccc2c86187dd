"""The observations of the report, decided by the finished runs of an output folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch

from ..config import Config
from ..data.files import write_atomically
from ..training.machine import environment
from ..training.run import Run, encode, parse
from .bench import arm_times
from .observations import ARMS
from .observed import measured, observe, outcomes
from .options import Options
from .plan import MORE_SEEDS, RUNS, SEEDS, Claim, Plan, finished_runs, planned, seeds_of_claims
from .report.records import Observed
from .results import command
from .verdicts import FEWEST, overall

TIMES = "times.json"  # behind the name of a recipe


def decided(options: Options, wanted: Plan, more: Collection[Claim], device: torch.device) -> list[Observed]:
    """Every observation that the options name, and others whose arms all have a finished run. more: those that have
    more seeds than the options ask for, since these left them open."""
    seeds = {claim: MORE_SEEDS if claim in more else seeds_of_claims(options) for claim in wanted.claims}
    named = [of_claim(options, claim, device, seeds[claim]) for claim in wanted.claims]
    others = [claim for claim in wanted.other_claims if is_there(options, claim, device)]
    return sorted(named + [of_claim(options, claim, device) for claim in others], key=lambda one: one.id)


def undecided(options: Options, claims: list[Claim], device: torch.device) -> list[Claim]:
    """Those that the runs of three seeds leave open."""
    trained = [claim for claim in claims if not claim[1].timed]
    made = [outcomes(claim[1], measured(claim[1], runs_of(options, claim, device, SEEDS))) for claim in trained]
    return [claim for claim, of_claim in zip(trained, made, strict=True) if overall(of_claim) == "undecided"]


def is_there(options: Options, claim: Claim, device: torch.device) -> bool:
    """Whether enough has been run for a verdict, though nobody asked for it."""
    recipe, observation = claim
    if observation.timed:
        return times_file(options, recipe).is_file()
    return all(len(of_arm) >= FEWEST for of_arm in runs_of(options, claim, device).values())


def runs_of(options: Options, claim: Claim, device: torch.device, most: int | None = None) -> dict[str, list[Run]]:
    """The finished runs of the arms of an observation, by name: at most so many seeds, those that all arms have."""
    recipe, observation = claim
    runs = {name: finished_runs(options, ARMS[name], recipe, device) for name in observation.arms}
    seeds = min(map(len, runs.values()))
    return {name: of_arm[: seeds if most is None else min(most, seeds)] for name, of_arm in runs.items()}


def of_claim(options: Options, claim: Claim, device: torch.device, most: int | None = None) -> Observed:
    """The record of an observation: from its runs, or from times, which are taken once for an output folder."""
    return from_times(options, claim, device) if claim[1].timed else from_runs(options, claim, device, most)


def from_runs(options: Options, claim: Claim, device: torch.device, most: int | None) -> Observed:
    """The record of an observation whose arms are trained."""
    (recipe, observation), runs = claim, runs_of(options, claim, device, most)
    first = runs[observation.arms[0]]
    facts = {
        "iterations": {name: of_arm[0].config.train.iterations for name, of_arm in runs.items()},
        "command": command_of(options, claim, first[0].config, len(first)),
        "environment": first[0].environment(),
    }
    return observe(observation, recipe, measured(observation, runs), facts)


def from_times(options: Options, claim: Claim, device: torch.device) -> Observed:
    """The record of an observation whose arms are timed."""
    (recipe, observation), known = claim, times(options, claim, device)
    config = planned(options, ARMS[observation.arms[0]], recipe, 0).config
    facts = {
        "iterations": dict.fromkeys(observation.arms, 0),
        "command": command_of(options, claim, config, 1),
        "environment": known["environment"],
    }
    return observe(observation, recipe, known["times"], facts)


def command_of(options: Options, claim: Claim, config: Config, seeds: int) -> str:
    """The command that decides an observation again."""
    return command(claim[1].id, claim[0], config, seeds, iterations=options.schedule == "custom")


def times(options: Options, claim: Claim, device: torch.device) -> dict[str, Any]:
    """What was timed of the arms, and on what: `times` and `environment`."""
    (recipe, observation), path = claim, times_file(options, claim[0])
    if not path.is_file():
        configs = {name: planned(options, ARMS[name], recipe, 0).config for name in observation.arms}
        known = environment(configs[observation.arms[0]], device)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, encode({"times": arm_times(configs), "environment": known}))
    return parse(path)


def times_file(options: Options, recipe: str) -> Path:
    """Where times are kept."""
    return options.out / RUNS / f"{recipe}-{TIMES}"
