"""D1: the same command gives the same bytes: with one thread and with two, each with themselves, alone and beside a
busy neighbour on each core, interrupted or not, with a cache that knows the processor and with an empty one.

Ten of the trials are `train --iterations 200 --seed 0` as a user starts it, beside the neighbours, against one run
without them: `python -m campaigns D1 --first 2 --trials 10`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from . import prepared, run_folders
from .campaign import Broken, Campaign, Trial
from .commands import QUIET, Desk

LONG, LONG_ONES = 200, range(2, 12)  # iterations, and the trials that have so many
SPIN = "import os; parent = os.getppid()\nwhile os.getppid() == parent: pass"
EXIT_INTERRUPTED = 130


@contextmanager
def neighbours() -> Iterator[None]:
    """A busy process for each core."""
    busy = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


@cache
def alone(threads: int) -> dict[str, str]:
    """What a short run leaves behind, once a process."""
    desk = Desk(prepared.place() / f"{threads}-threads" / "desk", prepared.cache_folder(), threads)
    desk.done(*prepared.train())
    return run_folders.contents(desk.folder / "run")


@cache
def long_alone() -> dict[str, str]:
    """What a long run leaves behind, once a process."""
    return long_run(prepared.place() / "long" / "desk", prepared.cache_folder())


def long_run(folder: Path, cache: Path) -> dict[str, str]:
    """`python -m pocketrcnn train --iterations 200 --seed 0` in a folder; the threads are the machine's choice."""
    folder.mkdir(parents=True)
    words = ["train", prepared.data(), "--iterations", LONG, "--seed", 0, *prepared.SHORT, "--out", "run"]
    waiting = {name: value for name, value in QUIET.items() if name != "OMP_NUM_THREADS"}
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-m", "pocketrcnn", *map(str, words)],
        cwd=folder,
        env={**environment, **waiting, "POCKETRCNN_DATA": str(cache)},
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise Broken(f"exit code {done.returncode}: {done.stderr[-500:]}")
    return run_folders.contents(folder / "run")


def trial(one: Trial) -> None:
    """A short run, or a long one."""
    fresh = one.random.random() < 1 / 2
    cache = one.folder / "cache" if fresh else prepared.cache_folder()
    one.counts["with an empty cache"] += fresh
    if one.number in LONG_ONES:
        wanted = long_alone()
        with neighbours():
            found = long_run(one.folder / "desk", cache)
        one.counts["of 200 iterations, beside busy neighbours"] += 1
        run_folders.require_same(found, wanted, "the same command, beside busy neighbours")
        return
    threads, busy = 1 + one.number % 2, one.random.random() < 1 / 2
    wanted, desk = alone(threads), Desk(one.folder / "desk", cache, threads)
    if busy:
        with neighbours():
            short_run(one, desk)
    else:
        short_run(one, desk)
    one.counts["beside busy neighbours"] += busy
    one.counts[f"with {threads} thread{'s' * (threads > 1)}"] += 1
    run_folders.require_same(run_folders.contents(desk.folder / "run"), wanted, f"{threads} threads")


def short_run(one: Trial, desk: Desk) -> None:
    """A run, interrupted in half of the trials."""
    stop = one.random.randint(1, prepared.LENGTH) * one.random.choice((0, 1))
    if stop:
        interrupted = desk.run(*prepared.train(), before=[partial(prepared.interrupt_after, stop)])
        interrupted.require(EXIT_INTERRUPTED)
    one.counts["interrupted"] += stop > 0
    desk.done(*prepared.train())


CAMPAIGN = Campaign(long=40, short=2, trial=trial)
