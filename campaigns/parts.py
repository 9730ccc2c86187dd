"""K5: `predict` in parts, killed (`kill -9`) up to twenty times at random moments, a third of them inside the writing
of a part, by one process or with workers: the same command goes on, and ends in the bytes of one that is left alone.

The first trial, which is the short form, has 60 images, and a detector that always gives the same; the others have
2,000, and the exported file of a run.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path

import numpy as np
from exported_runs import made_by_hand
from PIL import Image

from pocketrcnn.data.listing import RESULTS

from . import prepared, run_folders
from .campaign import Broken, Campaign, Trial
from .commands import Before, Desk, Running
from .file_operations import killed
from .kills import Whole, was_killed

FEW, MANY = (60, 4, 3), (2000, 50, 20)  # images, images of a part, kills at most
SIDE = 40  # pixels
OPERATIONS = ("open", "fsync", "rename")
ENDS = 20  # times that the command is given at last: workers of a killed one may hold a part for a moment


@cache
def exported() -> Path:
    """The file of the run."""
    desk = Desk(prepared.place() / "exported", prepared.cache_folder())
    desk.done("export", prepared.run(), "--out", "model.onnx")
    return desk.folder / "model.onnx"


@cache
def drawn(count: int) -> Path:
    """So many images of noise, in two folders."""
    folder, random = prepared.place() / f"{count}-images", np.random.default_rng(0)
    for number in range(count):
        path = folder / f"plate-{number % 2}" / f"{number:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(path)
    return folder


@cache
def words(count: int, size: int) -> list[str]:
    """The command, without its workers."""
    few = count == FEW[0]
    detector = made_by_hand(prepared.place() / "model.onnx") if few else exported()
    batch = ["--batch", "1"] if few else []
    pattern = str(drawn(count) / "**" / "*.png")
    return ["predict", str(detector), pattern, *batch, "--part-size", str(size), "--threshold", "0", "--out", "found"]


@cache
def whole(count: int, size: int) -> Whole:
    """The command left alone, once a process."""
    desk = Desk(prepared.place() / f"{count}-alone" / "desk", prepared.cache_folder())
    answer = desk.done(*words(count, size))
    return Whole(run_folders.contents(desk.folder / "found"), answer.seconds)


def trial(one: Trial) -> None:
    """A chain of kills, then the command to its end."""
    count, size, kills = MANY if one.number else FEW
    command, wanted = words(count, size), whole(count, size)
    desk = Desk(one.folder / "desk", prepared.cache_folder())
    left = one.random.randint(2, kills)
    while left and chain_goes_on(one, desk, command, 2 * wanted.seconds / kills):
        left -= 1
    ended(desk, command)
    run_folders.require_same(run_folders.contents(desk.folder / "found"), wanted.contents, "in parts, killed")


def chain_goes_on(one: Trial, desk: Desk, command: list[str], most: float) -> bool:
    """Go on, and kill after `most` seconds; false where the command had ended before."""
    team = ["--workers", "2"] if one.random.random() < 1 / 4 else []
    inside = not team and one.random.random() < 1 / 3
    before: list[Before] = []
    if inside:
        before = [killed((desk.folder,), one.random.choice(OPERATIONS), "part-", one.random.randrange(4))]
    running = desk.start(*command, *team, before=before)
    if not inside:
        kill_after(running, one.random.uniform(0.02, most))
    return was_killed(one, running.wait(), inside)


def kill_after(running: Running, seconds: float) -> None:
    """Kill a command after so many seconds, of the clock or of a processor, whichever come first."""
    begun = time.perf_counter()
    running.wait_until(lambda: max(running.seconds(), time.perf_counter() - begun) >= seconds)
    running.kill()


def ended(desk: Desk, command: list[str]) -> None:
    """The command until its results are there. Raises Broken where they are not to be had."""
    for _ in range(ENDS):
        desk.done(*command)
        if (desk.folder / "found" / RESULTS).is_file():
            return
        time.sleep(1)
    raise Broken("parts are held by programs that were killed")


CAMPAIGN = Campaign(long=20, short=1, trial=trial)
