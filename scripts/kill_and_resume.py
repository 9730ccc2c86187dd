"""Kill runs at random moments, resume them, and compare the weights with those of a run left alone, byte for byte.

    python scripts/kill_and_resume.py                 ten kills of B1 and ten of F2, on the sample inside the package
    python scripts/kill_and_resume.py --phases        ten of a detector for small scenes, trained in four phases

A run in phases is killed in each of them: the moments are drawn among the iterations of its phases. A run that ends
before its kill does not count: another is started, with another moment. Exit code 0 if all weights are the same file, 1
if some are not, if no run could be killed, or none in some phase. The moments come from a seed, which is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

TRIES = 20  # runs started for one kill, each with a moment of its own
POLL = 0.02  # seconds between two looks at a checkpoint
FOUR_STEPS = """[{fraction: 0.25, trained: [backbone, rpn], restart: true},
{fraction: 0.25, trained: [backbone, head], proposals: frozen, restart: true},
{fraction: 0.25, trained: [rpn], restart: true}, {fraction: 0.25, trained: [head], restart: true}]"""


class Moment(NamedTuple):
    """When to kill: so many seconds after the checkpoint has this iteration."""

    seconds: float
    iteration: int = 0

    def __str__(self) -> str:
        return (f"iteration {self.iteration} and " if self.iteration else "") + f"{self.seconds:.1f} s"


class Commands(NamedTuple):
    """A run as a user types it, in a folder: how it begins, and how it goes on."""

    begin: Callable[[Path], list[str]]
    resume: Callable[[Path], list[str]]


class Counts(NamedTuple):
    """What came of the kills of one experiment."""

    kills: int = 0
    after_checkpoint: int = 0
    too_late: int = 0  # runs that ended before their kill
    different: int = 0  # kills that ended in other weights

    def __str__(self) -> str:
        late = f"; {self.too_late} runs ended before theirs and were started again" if self.too_late else ""
        return (
            f"{self.kills} kills, {self.after_checkpoint} after a checkpoint, {self.different} with other weights{late}"
        )


def pocketrcnn(*words: object) -> list[str]:
    """A command of the package."""
    return [sys.executable, "-m", "pocketrcnn", *map(str, words)]


def experiment(name: str, options: argparse.Namespace) -> Commands:
    """A run of the course, with a checkpoint every half second; the same command goes on with it."""
    words = ["reproduce", "--only", name, "--iterations", options.iterations, "--data", options.data]

    def run(out: Path) -> list[str]:
        return pocketrcnn(*words, "--checkpoint", "0.5", "--out", out)

    return Commands(run, run)


def toy(folder: Path, options: argparse.Namespace) -> Commands:
    """A small detector for scenes made in the folder, in phases, with a checkpoint after nearly every iteration."""
    data = folder / "scenes"
    os.environ["POCKETRCNN_DATA"] = str(folder / "cache")
    finish(pocketrcnn("scenes", data, "--data", "sample", "--objects", "0-3", "--images", "20", "--side", "64"))
    words = ["train", data, "--iterations", options.iterations, "--preset", "small", "--batch", "4", "--device", "cpu"]
    words += ["--set", f"train.phases={options.phases}", "--set", "train.checkpoint_seconds=0.1"]

    def begin(out: Path) -> list[str]:
        return pocketrcnn(*words, "--out", out / "runs" / "toy")

    return Commands(begin, lambda out: pocketrcnn("resume", out / "runs" / "toy", "--device", "cpu"))


def finish(words: list[str]) -> float:
    """Run to the end; returns the seconds it took."""
    begun = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def saved(out: Path) -> dict[str, Any]:
    """What the run's checkpoint holds besides tensors; nothing where there is none. It may be replaced meanwhile, so
    that all is read from the file as it was opened.
    """
    for path in out.glob("runs/*/checkpoint.safetensors"):
        try:
            with path.open("rb") as file:
                header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            return json.loads(json.loads(header["__metadata__"]["pocketrcnn"])["facts"])
        except FileNotFoundError:
            pass  # the run ended, and needs it no longer
    return {}


def ends_of_phases(out: Path, iterations: int) -> list[int]:
    """The iterations with which the phases of a finished run ended; one for a run without phases."""
    from pocketrcnn.training.phases import WHOLE, borders
    from pocketrcnn.training.run import open_run

    (folder,) = out.glob("runs/*")
    return borders(open_run(folder, "cpu").config.train.phases or WHOLE, iterations)


def kill_after(words: list[str], moment: Moment, out: Path) -> bool:
    """Start, wait, kill -9; returns whether that was before the end of the run. Ends the script if the run failed."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while moment.iteration and process.poll() is None and saved(out).get("iteration", 0) < moment.iteration:
            time.sleep(POLL)
        process.wait(moment.seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    if process.returncode not in (0, -signal.SIGKILL):
        raise SystemExit(f"a run failed with exit code {process.returncode}: try it by hand, {shlex.join(words)}")
    return process.returncode == -signal.SIGKILL and not list(out.glob("runs/*/metrics.json"))


def kill(words: list[str], out: Path, draw: Callable[[], Moment]) -> tuple[Moment, int]:
    """Start runs until one is killed: when, and how many ended before. Ends the script if all did."""
    for too_late in range(TRIES):
        moment = draw()
        if kill_after(words, moment, out):
            return moment, too_late
        print(f"a run ended before {moment}: no kill, another is started", flush=True)
        shutil.rmtree(out)
    raise SystemExit(f"no run of {TRIES} was killed before its end: use more --iterations, or a quieter machine")


def weights(out: Path) -> str:
    """SHA-256 of the run's weights."""
    (path,) = out.glob("runs/*/weights.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def drawn(moments: random.Random, duration: float, ends: list[int], kills: Counter[int]) -> Moment:
    """A moment in a run that takes so many seconds; in one with phases, in the phase with the fewest kills so far."""
    if len(ends) == 1:
        return Moment(moments.uniform(0.1, 0.95) * duration)
    phase = min(range(len(ends)), key=lambda one: (kills[one], moments.random()))
    first = (ends[phase - 1] if phase else 0) + 1
    return Moment(moments.uniform(0, duration / ends[-1]), moments.randint(first, max(first, ends[phase] - 1)))


def trial(name: str, commands: Commands, options: argparse.Namespace, folder: Path, moments: random.Random) -> Counts:
    """All kills of one kind of run, in an empty folder. Ends the script if a phase was left out."""
    whole, out = folder / "whole", folder / "parts"
    counts, kills = Counts(), Counter[int]()
    duration, wanted = finish(commands.begin(whole)), weights(whole)
    ends = ends_of_phases(whole, options.iterations)
    print(f"{name}: {options.iterations} iterations in {duration:.1f} s, weights {wanted[:16]}", flush=True)
    for number in range(options.kills):
        moment, too_late = kill(commands.begin(out), out, lambda: drawn(moments, duration, ends, kills))
        state = saved(out)
        finish(commands.resume(out) if state else commands.begin(out))
        same = weights(out) == wanted
        kills[state.get("phase", 0)] += 1
        where = f"checkpoint{phase_of(state, ends)}" if state else "no checkpoint"
        result = "same" if same else "OTHER"
        print(f"{name} {number + 1}: killed after {moment} ({where}), resumed: {result} weights", flush=True)
        counts = add(counts, Counts(1, bool(state), too_late, not same))
        shutil.rmtree(out)
    if len(ends) > 1:
        print(f"{name}: {', '.join(f'{kills[i]} in phase {i + 1}' for i in range(len(ends)))}", flush=True)
        if len(kills) < len(ends):
            raise SystemExit("no kill in some of the phases: use more --kills, or more --iterations")
    return counts


def phase_of(state: dict[str, Any], ends: list[int]) -> str:
    """Where the checkpoint was, for a run in phases."""
    return f" of iteration {state['iteration']}, in phase {state['phase'] + 1}" if len(ends) > 1 else ""


def add(*counts: Counts) -> Counts:
    """The sum of each count."""
    return Counts(*map(sum, zip(*counts, strict=True)))


def main() -> int:
    """Parse options, run all trials, sum up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", nargs="+", default=["B1", "F2"])
    parser.add_argument("--phases", nargs="?", const=FOUR_STEPS, help="of a detector, in place of the experiments")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--data", default="sample")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments, counted = random.Random(options.seed), {}
    print(f"moments from seed {options.seed}")
    for name in ["toy"] if options.phases else options.experiments:
        with tempfile.TemporaryDirectory() as folder:
            commands = toy(Path(folder), options) if options.phases else experiment(name, options)
            counted[name] = trial(name, commands, options, Path(folder), moments)
    for name, counts in counted.items():
        print(f"{name}: {counts}")
    total = add(*counted.values())
    print(f"all: {total}")
    return 1 if total.different else 0


if __name__ == "__main__":
    sys.exit(main())
