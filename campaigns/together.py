"""P1: two to four processes at once on one run, one cache, one output folder, one download; sometimes one is killed.

Each of them ends with exit code 0, or with 2 and the line that says which other program is in its way; no folder is a
mixture; and what is there in the end, after the command was given once more where it was refused, is what the commands
leave behind one after the other.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from . import prepared, run_folders
from .campaign import Broken, Campaign, Trial
from .commands import Answer, Before, Desk
from .jobs import JOBS, images, reference, require_done

LAG = 0.4  # seconds at most from one beginning to the next
TAKEN = (
    "in use by another program",
    "is not empty",
    "holds something else than a run",
    "was trained for longer meanwhile",
)
WEIGHTS = ("weights.safetensors", "last.safetensors", "checkpoint.safetensors")
EVERYWHERE = ("config.yaml", "log.jsonl", "splits.json", "evaluation-val.json", *WEIGHTS)  # whatever a run is called


def at_once(
    one: Trial, desk: Desk, commands: Sequence[Sequence[str]], before: tuple[Before, ...] = (), deadly: bool = True
) -> list[Answer]:
    """Commands begun one shortly after the other. deadly: sometimes one of them is killed."""
    started = []
    for words in commands:
        time.sleep(one.random.uniform(0, LAG) * one.random.choice((0, 1)))
        started.append(desk.start(*words, before=before))
    if deadly and one.random.random() < 1 / 3:
        victim, moment = one.random.choice(started), one.random.uniform(0, 1)
        victim.wait_until(lambda: victim.seconds() > moment)
        victim.kill()
    answers = [command.wait() for command in started]
    one.counts["processes"] += len(answers)
    for answer in answers:
        one.counts["killed"] += answer.code == -signal.SIGKILL
        one.counts["refused"] += answer.code == 2
        if answer.code != -signal.SIGKILL:
            answer.require(0, 2)
        if answer.code == 2 and not any(reason in answer.err for reason in TAKEN):
            raise Broken(f"refused for another reason: {answer.err}")
    return answers


def one_run(one: Trial, name: str) -> None:
    """The same command on one run, or on one new one, whose cache they share, too."""
    job, desk = JOBS[name], JOBS[name].desk(one.folder / "desk")
    words = [job.words()] * one.random.randint(2, 4)
    answers = at_once(one, desk, words, job.before())
    if all(answer.code == 2 for answer in answers):
        raise Broken("all of them were refused")
    if any(answer.code == 0 for answer in answers) and job.whole:
        found = run_folders.finished(run_folders.contents(desk.folder))
        run_folders.require_same(found, run_folders.finished(reference(name).new), f"{name}, several at once")
    else:
        require_done(name, desk)


def one_cache(one: Trial, _: str) -> None:
    """Runs without --out, in one folder and with one cache, which is empty: even the number format is not known."""
    desk = Desk(one.folder / "desk", one.folder / "cache")
    words = prepared.train(3)[:-2]
    answers = at_once(one, desk, [words] * one.random.randint(2, 3))
    known = reference("train").new
    if any(answer.code == 2 for answer in answers):
        raise Broken("one of the runs was refused")
    runs = [path for path in sorted((desk.folder / "runs").iterdir()) if (path / "metrics.json").is_file()]
    if len(runs) < sum(answer.code == 0 for answer in answers):
        raise Broken(f"{len(runs)} runs are there")
    for run in runs:
        found = run_folders.contents(run)
        run_folders.require_same(
            {name: found.get(name) for name in EVERYWHERE},
            {name: known[f"run/{name}"] for name in EVERYWHERE},
            f"{run.name}, one of several that began at once",
        )
    if (frames := sum(1 for _ in (desk.cache / "folders").glob("*.frames"))) != len(("train", "val")):
        raise Broken(f"{frames} files of the same images")


@cache
def predictions(split: str) -> dict[str, str]:
    """What `predict` leaves behind for the images of a split."""
    desk = Desk(prepared.place() / f"predicted-{split}" / "desk", prepared.cache_folder())
    desk.done(*predicted(split), "--out", "found")
    return run_folders.contents(desk.folder / "found")


def predicted(split: str) -> list[str]:
    """The words that predict the images of a split."""
    return ["predict", str(prepared.run()), str(Path(images()).parent / split), "--threshold", "0"]


def own_predictions(one: Trial, _: str) -> None:
    """`predict` without --out: each has a folder of its own."""
    desk = Desk(one.folder / "desk", prepared.cache_folder())
    splits = one.random.choices(("train", "test", "val"), k=one.random.randint(2, 4))
    answers = at_once(one, desk, [predicted(split) for split in splits])
    for split, answer in zip(splits, answers, strict=True):
        if answer.code == 0:
            where = desk.folder / answer.out.split()[-1]
            run_folders.require_same(run_folders.contents(where), predictions(split), f"predictions of {split}")


def one_folder_of_predictions(one: Trial, _: str) -> None:
    """`predict` into the same folder: one of them has it."""
    desk = Desk(one.folder / "desk", prepared.cache_folder())
    splits = one.random.sample(("train", "test", "val"), k=one.random.randint(2, 3))
    answers = at_once(one, desk, [[*predicted(split), "--out", "found"] for split in splits], deadly=False)
    (split,) = only_winner(answers, splits)
    run_folders.require_same(run_folders.contents(desk.folder / "found"), predictions(split), f"predictions of {split}")


def only_winner(answers: Sequence[Answer], what: Sequence[str]) -> list[str]:
    """Which of several ended well. Raises Broken where it is not one."""
    well = [name for name, answer in zip(what, answers, strict=True) if answer.code == 0]
    if len(well) != 1:
        raise Broken(f"{len(well)} of {len(what)} have the folder")
    return well


COPIES = ("convert to COCO", "convert to VOC", "convert to YOLO")


def one_copy(one: Trial, _: str) -> None:
    """Converted to several formats, into the same folder: one of them has it."""
    names = one.random.sample(COPIES, k=one.random.randint(2, 3))
    desk = JOBS[names[0]].desk(one.folder / "desk")
    (name,) = only_winner(at_once(one, desk, [JOBS[name].words() for name in names], deadly=False), names)
    found = run_folders.contents(desk.folder)
    run_folders.require_same(found, reference(name).new, f"{name}, several at once")


def used_while_it_trains(one: Trial, _: str) -> None:
    """`predict` and `eval` while the run is trained for longer: detections of the old or of the new network, and no
    evaluation of a network that is no longer there."""
    job, desk = JOBS["extend"], JOBS["extend"].desk(one.folder / "desk")
    words = ["predict", "run", str(Path(images()).parent / "test"), "--threshold", "0", "--out", "found"]
    others = [words, ["eval", "run"], ["report", "run"]]
    one.random.shuffle(others)
    at_once(one, desk, [job.words(), *others[: one.random.randint(1, 3)]])
    if (found := run_folders.contents(desk.folder / "found")) and "predictions.json" in found:
        (desk.folder / "found").rename(one.folder / "found")
        if found["predictions.json"] not in {after["predictions.json"] for after in both_networks()}:
            raise Broken("detections of neither network")
    shutil.rmtree(desk.folder / "found", ignore_errors=True)
    desk.done(*job.words())
    made = evaluation(desk)
    desk.done("eval", "run")
    if made and made != evaluation(desk):
        raise Broken("the evaluation is of a network that is no longer there")


def evaluation(desk: Desk) -> str:
    """The hash of the evaluation on test images, empty where there is none."""
    path = desk.folder / "run" / "evaluation-test.json"
    return run_folders.digest(path) if path.is_file() else ""


@cache
def both_networks() -> tuple[dict[str, str], dict[str, str]]:
    """The detections of the run, and of the run that was trained for longer."""
    desk = JOBS["extend"].desk(prepared.place() / "two-networks" / "desk")
    words = ["predict", "run", str(Path(images()).parent / "test"), "--threshold", "0", "--out"]
    desk.done(*words, "old")
    desk.done(*JOBS["extend"].words())
    desk.done(*words, "new")
    return run_folders.contents(desk.folder / "old"), run_folders.contents(desk.folder / "new")


KINDS: tuple[tuple[Callable[[Trial, str], None], str], ...] = (
    (one_copy, ""),
    (one_run, "download"),
    (one_folder_of_predictions, ""),
    (one_run, "resume"),
    (own_predictions, ""),
    (one_cache, ""),
    (one_run, "fix"),
    (used_while_it_trains, ""),
    (one_run, "eval"),
    (one_run, "train"),
    (one_run, "scenes"),
    (one_run, "report"),
)


def trial(one: Trial) -> None:
    """One of the kinds in turn."""
    act, name = KINDS[one.number % len(KINDS)]
    act(one, name)


CAMPAIGN = Campaign(long=200, short=2, trial=trial)
