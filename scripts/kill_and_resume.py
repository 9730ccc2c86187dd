"""Kill runs at random moments, resume them, and compare the weights with those of a run left alone, byte for byte.

    python scripts/kill_and_resume.py                 ten kills of B1 and ten of F2, on the sample inside the package

Exit code 0 if all weights are the same file. The moments come from a seed, which is printed.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def command(experiment: str, options: argparse.Namespace, out: Path) -> list[str]:
    """The run as a user types it, with a checkpoint every half second."""
    words = ["reproduce", "--only", experiment, "--iterations", str(options.iterations), "--data", options.data]
    return [sys.executable, "-m", "pocketrcnn", *words, "--checkpoint", "0.5", "--out", str(out)]


def finish(words: list[str]) -> float:
    """Run to the end; returns the seconds it took."""
    begun = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def kill_after(words: list[str], seconds: float) -> bool:
    """Start, wait, kill -9; returns whether the process was still running."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
    return process.returncode == -signal.SIGKILL


def weights(out: Path) -> str:
    """SHA-256 of the run's weights."""
    (path,) = out.glob("runs/*/weights.safetensors")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def trial(experiment: str, options: argparse.Namespace, folder: Path, moments: random.Random) -> int:
    """All kills of one experiment; returns how many ended in other weights."""
    whole = folder / "whole"
    duration, wanted = finish(command(experiment, options, whole)), weights(whole)
    print(f"{experiment}: {options.iterations} iterations in {duration:.1f} s, weights {wanted[:16]}", flush=True)
    different = 0
    for number in range(options.kills):
        out, moment = folder / "parts", moments.uniform(0.1, 0.95) * duration
        killed = kill_after(command(experiment, options, out), moment)
        state = "checkpoint" if list(out.glob("runs/*/checkpoint.safetensors")) else "no checkpoint"
        finish(command(experiment, options, out))
        same = weights(out) == wanted
        different += not same
        what = f"killed after {moment:.1f} s ({state})" if killed else f"ended before {moment:.1f} s"
        print(f"{experiment} {number + 1}: {what}, resumed: {'same' if same else 'OTHER'} weights", flush=True)
        shutil.rmtree(out)
    return different


def main() -> int:
    """Parse options, run all trials, sum up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", nargs="+", default=["B1", "F2"])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--data", default="sample")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments, different = random.Random(options.seed), 0
    print(f"moments from seed {options.seed}")
    for experiment in options.experiments:
        with tempfile.TemporaryDirectory() as folder:
            different += trial(experiment, options, Path(folder), moments)
    print(f"{options.kills * len(options.experiments)} kills, {different} with other weights")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
