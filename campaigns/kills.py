"""K1: `kill -9` at random moments, in chains of up to five, a third of them while a checkpoint is written.

What is resumed to its end has to be what the command leaves behind when it is left alone, byte for byte. Of the work
at most one interval between two checkpoints is lost: an iteration, or, in the runs in phases, INTERVAL seconds.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from . import prepared, run_folders
from .campaign import Broken, Campaign, Trial
from .commands import Answer, Before, Desk
from .file_operations import killed

LONGEST = 5  # kills one after the other
INTERVAL = 0.1  # seconds between two checkpoints of a run in phases
ITERATIONS = 8
STEPS = (
    "[{fraction: 0.25, trained: [backbone, rpn], restart: true}, "
    "{fraction: 0.25, trained: [backbone, head], proposals: frozen, restart: true}, "
    "{fraction: 0.25, trained: [rpn], restart: true}, {fraction: 0.25, trained: [head], restart: true}]"
)
PHASES = ("--set", f"train.phases={STEPS}", "--set", f"train.checkpoint_seconds={INTERVAL}")


@dataclass(frozen=True)
class Kind:
    """A command that is killed. begin: its words. again: how it goes on, where the run has begun. written: of the file
    in whose writing it is killed. left: the folder that counts in the end."""

    begin: Callable[[], list[str]]
    again: tuple[str, ...] = ("resume", "run")
    written: str = "checkpoint.safetensors"
    left: str = "run"
    finished: bool = False
    interval: float = 0.0


KINDS = {
    "train": Kind(lambda: prepared.train(ITERATIONS)),
    "predict": Kind(
        lambda: ["predict", str(prepared.run()), str(prepared.data() / "train"), "--save-crops", "--threshold", "0"],
        (),
        "predictions.",
        "predictions",
    ),
    "phases": Kind(lambda: prepared.train(ITERATIONS, *PHASES), interval=INTERVAL),
    "resume": Kind(lambda: ["resume", "run", "--iterations", str(prepared.LENGTH + ITERATIONS)], (), finished=True),
}


class Whole(NamedTuple):
    """What a command leaves behind that is left alone, and the seconds of a processor that it takes."""

    contents: dict[str, str]
    seconds: float


def desk_of(kind: Kind, folder: Path) -> Desk:
    """A user's folder, with a finished run where the kind begins with one."""
    desk = Desk(folder, prepared.cache_folder())
    if kind.finished:
        prepared.copied(prepared.run(), folder / "run")
    return desk


@cache
def whole(name: str) -> Whole:
    """A command left alone, once a process."""
    kind = KINDS[name]
    desk = desk_of(kind, prepared.place() / f"{name}-alone" / "desk")
    answer = desk.done(*kind.begin())
    return Whole(run_folders.contents(desk.folder / kind.left), answer.seconds)


def trial(one: Trial) -> None:
    """A chain of kills, then the same command, or `resume`, to the end."""
    name = list(KINDS)[one.number % len(KINDS)]
    kind, wanted = KINDS[name], whole(name)
    desk, left = desk_of(kind, one.folder / "desk"), one.random.randint(1, LONGEST)
    while left and chain_goes_on(one, kind, desk, wanted.seconds):
        left -= 1
    desk.done(*words(one, kind, desk))
    made = sorted(desk.folder.glob(f"{kind.left}*"), key=lambda path: (len(path.name), path.name))[-1]
    run_folders.require_same(run_folders.contents(made), wanted.contents, f"{name}, killed and resumed")


def words(one: Trial, kind: Kind, desk: Desk) -> list[str]:
    """How the command begins, or, where the run has begun, one of the ways in which it goes on."""
    begun = (desk.folder / "run" / "config.yaml").is_file()
    return list(kind.again) if kind.again and begun and one.random.random() < 0.7 else kind.begin()


def chain_goes_on(one: Trial, kind: Kind, desk: Desk, seconds: float) -> bool:
    """Begin or go on, and kill; false where the command had ended before."""
    trace = one.folder / "iterations"
    trace.unlink(missing_ok=True)
    before: list[Before] = [partial(prepared.traced, trace)]
    inside = one.random.random() < 1 / 3
    if inside:
        operation, count = one.random.choice(("open", "fsync", "rename")), one.random.randrange(ITERATIONS // 2)
        before.append(killed((desk.folder,), operation, kind.written, count))
    running = desk.start(*words(one, kind, desk), before=before)
    if not inside:
        moment = one.random.uniform(0.02, seconds)
        running.wait_until(lambda: running.seconds() >= moment)
        running.kill()
    return was_killed(one, running.wait(), inside) and lost_little(one, kind, desk, trace)


def was_killed(one: Trial, answer: Answer, inside: bool) -> bool:
    """Whether a command was killed; counted."""
    if answer.code == -signal.SIGKILL:
        one.counts["kills"] += 1
        one.counts["kills inside a writing"] += inside
        return True
    answer.require(0)
    return False


def lost_little(one: Trial, kind: Kind, desk: Desk, trace: Path) -> bool:
    """Always true. Raises Broken where more than an interval of the work that was done is not in the checkpoint."""
    begun = prepared.iterations_begun(trace)
    if begun:
        last, saved = max(begun), run_folders.saved_iteration(desk.folder / "run")
        lost = begun[last] - begun.get(saved, min(begun.values())) if saved <= last else 0.0
        one.counts["iterations begun anew"] += max(0, last - saved)
        if last > saved and (not kind.interval or lost > kind.interval + SLACK):
            raise Broken(f"killed in iteration {last}, the checkpoint is of {saved}: {lost:.2f} s are lost")
    return True


SLACK = 0.1  # seconds of a processor from one look at the clock to the next


CAMPAIGN = Campaign(long=100, short=1, trial=trial)
