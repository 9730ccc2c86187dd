"""S1: trainings, evaluations, predictions, reports and exports in one process do not use more and more of it.

A trial is one round of them. From round `WARM` on, memory, open files and threads are compared with those of that
round: libraries fill their caches in the first ones.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

import painted

from pocketrcnn.cli.main import main

from .campaign import Broken, Campaign, Trial

WARM = 10  # rounds
MEMORY = 48.0  # MB that a process may grow in all rounds after these: an allocator's pieces, not a leak
REPORTED, EXPORTED = 5, 20  # rounds from one to the next: they take as long as several of the others
assert max(REPORTED, EXPORTED // 2) <= WARM  # each is done in a first round, and loads its libraries there
HELD: list[Use] = []  # by this process, in the first rounds


class Use(NamedTuple):
    """What a process holds: resident memory in MB, open files, threads."""

    memory: float
    files: int
    threads: int


def used() -> Use:
    """What this process holds now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    files = len(os.listdir("/proc/self/fd"))
    return Use(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, files, threading.active_count())


def prepare(shared: Path) -> None:
    """Pictures of 48 pixels."""
    painted.write(shared / "shapes", train=12, val=4, test=4)
    HELD.clear()


def trial(one: Trial) -> None:
    """One round, and what the process holds after it."""
    with patch.dict(os.environ, {"POCKETRCNN_DATA": str(one.shared / "cache")}):
        for command in commands(one):
            with contextlib.redirect_stdout(io.StringIO()):
                if code := main([str(word) for word in command]):
                    raise Broken(f"{command[0]} ends with exit code {code}")
    now = used()
    if len(HELD) < WARM:
        HELD.append(now)
        return
    before = Use(*map(max, zip(*HELD[-3:], strict=True)))
    if now.memory > before.memory + MEMORY or now.files > before.files or now.threads > before.threads:
        raise Broken(f"round {one.number}: {now}, after {WARM} rounds it was {before}")


def commands(one: Trial) -> Iterator[list[object]]:
    """Those of a round."""
    data, run = one.shared / "shapes", one.folder / "run"
    small = ["--preset", "small", "--batch", 4, "--seed", one.number, "--device", "cpu"]
    yield ["train", data, "--iterations", 3, *small, "--out", run]
    yield ["eval", run]
    yield ["predict", run, data / "test", "--out", one.folder / "predictions"]
    if one.number % REPORTED == REPORTED - 1:
        yield ["report", run]
    if one.number % EXPORTED == EXPORTED // 2 - 1:
        yield ["export", run]


CAMPAIGN = Campaign(long=200, short=3, trial=trial, prepare=prepare)
