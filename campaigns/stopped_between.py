"""K4: a command stopped between two of its file operations, every one of them.

Each prefix of the operations by which a command changes files (`file_operations`) is a trial: its process ends there,
as it does when the machine loses its power. What is there then is the old or the new, and the same command, given
again, does what was asked. Of a run that is made or goes on, `resume` does it, too.
"""

from __future__ import annotations

import random
from functools import cache

from . import run_folders
from .campaign import Broken, Campaign, Trial
from .file_operations import STOPPED, stopped
from .jobs import JOBS, reference, require_done, require_old_or_new

NAMES = [name for name in JOBS if name not in ("predict", "scenes", "resume")]


@cache
def order(name: str) -> list[int]:
    """The prefixes of a command, by their lengths, in a mixed order."""
    lengths = list(range(len(reference(name).operations)))
    random.Random(name).shuffle(lengths)
    return lengths


def prefix(number: int) -> tuple[str, int]:
    """The command of a trial and the operations before its end: first one of each command, then the next of each."""
    if number < len(NAMES):
        return NAMES[number], order(NAMES[number])[0]
    turns = [(turn, i) for i, name in enumerate(NAMES) for turn in range(len(order(name)))]
    turn, i = sorted(turns)[number]
    return NAMES[i], order(NAMES[i])[turn]


def trial(one: Trial) -> None:
    """Stop, look, go on, compare."""
    name, length = prefix(one.number)
    job = JOBS[name]
    desk = job.desk(one.folder / "desk")
    answer = desk.run(*job.words(), before=[*job.before(), stopped((desk.folder,), length)])
    one.counts[f"of {name}"] += 1
    if answer.code != STOPPED:
        raise Broken(f"{name}: it did not come to operation {length}: exit code {answer.code}, {answer.err[-300:]}")
    require_old_or_new(name, desk.folder)
    if name in ("train", "extend") and length % 2 and (desk.folder / "run" / "config.yaml").is_file():
        desk.done("resume", "run")
    require_done(name, desk)
    if name in ("train", "extend") and "unfinished" in run_folders.contents(desk.folder / "run").values():
        raise Broken("what was not finished is still there")


def all_prefixes() -> int:
    """How many there are."""
    return sum(len(order(name)) for name in NAMES)


CAMPAIGN = Campaign(long=all_prefixes, short=4, trial=trial)
