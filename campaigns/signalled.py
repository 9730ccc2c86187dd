"""K2: Ctrl-C and SIGTERM at random moments of `train`, `resume` and `predict`.

While a run trains: the exit code is 128 and the number of the signal, the iteration that is under way is in the
checkpoint, the end comes within LIMIT seconds of it, and a line says how to go on. At any moment, before and after it,
too: the next command ends in the same bytes as one that was never disturbed.
"""

from __future__ import annotations

import signal
from functools import partial

from . import prepared, run_folders
from .campaign import Broken, Campaign, Trial
from .commands import Answer, Desk
from .kills import KINDS, desk_of, whole, words

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LIMIT = 2.0  # seconds of a processor from the signal to the end: those of a clock on a machine that does nothing else
ORDER = ("train", "predict", "phases", "resume")  # SIGINT for each of them, then SIGTERM


def trial(one: Trial) -> None:
    """One signal, and the way to the end."""
    name, number = ORDER[one.number % len(ORDER)], SIGNALS[one.number // len(ORDER) % 2]
    kind, wanted = KINDS[name], whole(name)
    desk, trace = desk_of(kind, one.folder / "desk"), one.folder / "iterations"
    running = desk.start(*kind.begin(), before=[partial(prepared.traced, trace)])
    moment = one.random.uniform(0.02, wanted.seconds)
    running.wait_until(lambda: running.seconds() >= moment)
    begun, used = prepared.iterations_begun(trace), running.seconds()
    running.kill(number)
    answer = running.wait()
    ended_well(one, answer, number)
    if answer.code > 0 and answer.seconds - used > LIMIT:
        raise Broken(f"the end came after {answer.seconds - used:.1f} s")
    if name != "predict":
        nothing_lost(one, desk, answer, max(begun, default=-1), number)
    again = desk.done(*words(one, kind, desk))
    made = sorted(desk.folder.glob(f"{kind.left}*"), key=lambda path: (len(path.name), path.name))[-1]
    run_folders.require_same(run_folders.contents(made), wanted.contents, f"{name}, {again.out[-80:]}")


def ended_well(one: Trial, answer: Answer, number: int) -> None:
    """Raises Broken for another end than by the signal, or, where it came in the end, a good one."""
    expected = {128 + number: "noted", -number: "before training, and after it, the signal ends the program", 0: "late"}
    if answer.code not in expected or "Traceback" in answer.err:
        raise Broken(f"exit code {answer.code}: {answer.err[-500:]}")
    one.counts[f"signals {expected[answer.code].split()[0]}"] += 1


def nothing_lost(one: Trial, desk: Desk, answer: Answer, last: int, number: int) -> None:
    """Raises Broken where a run that was training did not save its state, or said nothing. last: the iteration that was
    under way when the signal was sent; -1 before the first."""
    run = desk.folder / "run"
    finished = (run / "metrics.json").is_file() and (run / "checkpoint.safetensors").is_file()
    saved = run_folders.saved_iteration(run) if (run / "config.yaml").is_file() else 0
    if last < 0 or (saved > last and finished):
        return
    one.counts["signals in an iteration"] += 1
    if saved <= last:
        raise Broken(f"stopped in iteration {last}, the checkpoint is of {saved}")
    if answer.code != 128 + number or "state saved" not in answer.err:
        raise Broken(f"exit code {answer.code}, {answer.err[-200:]}")


CAMPAIGN = Campaign(long=40, short=2, trial=trial)
