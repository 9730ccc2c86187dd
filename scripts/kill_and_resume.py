"""Kill runs at random moments, resume them, and compare the weights with those of a run left alone, byte for byte.

    python scripts/kill_and_resume.py                 ten kills of B1 and ten of F2, on the sample inside the package

A run that ends before its kill does not count: another is started, with another moment. Exit code 0 if all weights are
the same file, 1 if some are not or if no run could be killed. The moments come from a seed, which is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

TRIES = 20  # runs started for one kill, each with a moment of its own


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


def command(experiment: str, options: argparse.Namespace, out: Path) -> list[str]:
    """The run as a user types it, with a checkpoint every half second."""
    words = ["reproduce", "--only", experiment, "--iterations", str(options.iterations), "--data", options.data]
    return [sys.executable, "-m", "pocketrcnn", *words, "--checkpoint", "0.5", "--out", str(out)]


def finish(words: list[str]) -> float:
    """Run to the end; returns the seconds it took."""
    begun = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def kill_after(words: list[str], seconds: float, out: Path) -> bool:
    """Start, wait, kill -9; returns whether that was before the end of the run. Ends the script if the run failed."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    if process.returncode not in (0, -signal.SIGKILL):
        raise SystemExit(f"a run failed with exit code {process.returncode}: try it by hand, {shlex.join(words)}")
    return process.returncode == -signal.SIGKILL and not list(out.glob("runs/*/metrics.json"))


def kill(words: list[str], out: Path, duration: float, moments: random.Random) -> tuple[float, int]:
    """Start runs until one is killed: when, in seconds, and how many ended before. Ends the script if all did."""
    for too_late in range(TRIES):
        moment = moments.uniform(0.1, 0.95) * duration
        if kill_after(words, moment, out):
            return moment, too_late
        print(f"a run ended before {moment:.1f} s: no kill, another is started", flush=True)
        shutil.rmtree(out)
    raise SystemExit(f"no run of {TRIES} was killed before its end: use more --iterations, or a quieter machine")


def weights(out: Path) -> str:
    """SHA-256 of the run's weights."""
    (path,) = out.glob("runs/*/weights.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def trial(experiment: str, options: argparse.Namespace, folder: Path, moments: random.Random) -> Counts:
    """All kills of one experiment, in an empty folder."""
    whole, out = folder / "whole", folder / "parts"
    words, counts = command(experiment, options, out), Counts()
    duration, wanted = finish(command(experiment, options, whole)), weights(whole)
    print(f"{experiment}: {options.iterations} iterations in {duration:.1f} s, weights {wanted[:16]}", flush=True)
    for number in range(options.kills):
        moment, too_late = kill(words, out, duration, moments)
        saved = bool(list(out.glob("runs/*/checkpoint.safetensors")))
        finish(words)
        same = weights(out) == wanted
        state = "checkpoint" if saved else "no checkpoint"
        result = "same" if same else "OTHER"
        print(
            f"{experiment} {number + 1}: killed after {moment:.1f} s ({state}), resumed: {result} weights", flush=True
        )
        counts = add(counts, Counts(1, saved, too_late, not same))
        shutil.rmtree(out)
    return counts


def add(*counts: Counts) -> Counts:
    """The sum of each count."""
    return Counts(*map(sum, zip(*counts, strict=True)))


def main() -> int:
    """Parse options, run all trials, sum up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", nargs="+", default=["B1", "F2"])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--data", default="sample")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments, counted = random.Random(options.seed), {}
    print(f"moments from seed {options.seed}")
    for experiment in options.experiments:
        with tempfile.TemporaryDirectory() as folder:
            counted[experiment] = trial(experiment, options, Path(folder), moments)
    for experiment, counts in counted.items():
        print(f"{experiment}: {counts}")
    total = add(*counted.values())
    print(f"all: {total}")
    return 1 if total.different else 0


if __name__ == "__main__":
    sys.exit(main())
