"""What a campaign is: trials that are a function of a seed and a number; failures are counted and kept."""

from __future__ import annotations

import importlib
import os
import platform
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .rows import ROWS


class Broken(AssertionError):
    """A promise that was not kept. The message says which, and what happened instead."""


@dataclass
class Trial:
    """One trial: its number, its own generator of random numbers, an empty folder, and room for counts.

    shared: a folder of the whole campaign, for what all trials need and none changes (a trained run, a data set).
    counts: what is worth counting besides failures, such as kills inside a writing; summed over all trials.
    """

    number: int
    random: random.Random
    folder: Path
    shared: Path
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Campaign:
    """A promise and how it is tried. Modules of rows have one, called CAMPAIGN.

    trial: raises Broken, or anything else, if the promise is not kept. prepare: makes what all trials share.
    long, short: how many trials the published and the tested form have; `long` may be a function that counts them.
    """

    long: int | Callable[[], int]
    short: int
    trial: Callable[[Trial], None]
    prepare: Callable[[Path], None] = lambda shared: None


@dataclass(frozen=True)
class Outcome:
    """The counts of one call. Failures: number of the trial and message."""

    row: str
    seed: int
    trials: int
    failures: tuple[tuple[int, str], ...]
    counts: Counter[str]
    seconds: float

    def __str__(self) -> str:
        counted = "".join(f", {count:,} {what}" for what, count in sorted(self.counts.items()))
        promise, _ = ROWS[self.row]
        first = f"{self.row}: {self.trials:,} trials, {len(self.failures)} failures{counted} in {self.seconds:.0f} s"
        return f"{promise}\n{first} (seed {self.seed}; {machine()})"


def load(row: str) -> Campaign:
    """The campaign of a row."""
    _, module = ROWS[row]
    campaign = importlib.import_module(f"campaigns.{module}").CAMPAIGN
    assert isinstance(campaign, Campaign)
    return campaign


def run(campaign: Campaign, row: str, trials: int, seed: int, *, keep: Path, first: int = 0) -> Outcome:
    """Run trials `first` to `first + trials - 1`; those that fail are kept, and the rest goes on.

    After Ctrl-C the outcome is that of the trials until then.
    """
    begun, done, failures, counts = time.perf_counter(), 0, [], Counter[str]()
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="campaign-") as place:
        shared = Path(place, "shared")
        shared.mkdir()
        campaign.prepare(shared)
        for number in range(first, first + trials):
            folder = Path(place, f"trial-{number}")
            folder.mkdir()
            one = Trial(number, random.Random(f"{row} {seed} {number}"), folder, shared)
            if message := failure(campaign, one):
                failures.append((number, message.splitlines()[-1]))
                keep_failure(keep / f"{row}-{seed}-{number}", one, row, seed, message)
                print(f"{row} {number}: {failures[-1][1]}", file=sys.stderr, flush=True)
            counts.update(one.counts)
            done += 1
            shutil.rmtree(folder, ignore_errors=True)
    return Outcome(row, seed, done, tuple(failures), counts, time.perf_counter() - begun)


def failure(campaign: Campaign, one: Trial) -> str:
    """Why a trial failed, with its traceback; empty where it did not."""
    try:
        campaign.trial(one)
    except Exception:
        return traceback.format_exc()
    return ""


def keep_failure(folder: Path, one: Trial, row: str, seed: int, message: str) -> None:
    """What the trial had made, why it failed, and the command that repeats it."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(one.folder, folder, symlinks=True, ignore_dangling_symlinks=True)
    command = f"python -m campaigns {row} --seed {seed} --first {one.number} --trials 1"
    (folder / "FAILURE.txt").write_text(f"{command}\n\n{message}", encoding="utf-8")


def machine() -> str:
    """Processor kind, cores and Python, for the page."""
    return f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
