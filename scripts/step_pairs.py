"""An iteration of training before and after a change, in turn: two checkouts, a process of each, one thread.

    python scripts/step_pairs.py BEFORE AFTER --rounds 10 --precision bfloat16

Milliseconds are of the processor, so that a neighbour on the machine is counted only by what it takes of caches and
memory; the smallest and the median of all rounds are given. `pocketrcnn bench step` measures one checkout by the clock.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

MEASURED = "B1,B2,B3,F2"
WARM_UP = 3
STEPPING = """
import sys, time, torch
from pocketrcnn.config import replace
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.training.device import keep_memory
from pocketrcnn.training.loop import Trainer

keep_memory()
torch.set_num_threads(1)
name, precision = sys.argv[1:]
config = replace(EXPERIMENTS[name].config("pocket", 2000, "sample", 0), train__precision=precision)
trainer = Trainer(config, *(open_dataset(config.data, split) for split in ("train", "test")), torch.device("cpu"))
for _ in sys.stdin:
    begun = time.process_time()
    trainer.step()
    print(1e3 * (time.process_time() - begun), flush=True)
"""


def stepping(checkout: Path, name: str, precision: str) -> subprocess.Popen[str]:
    """A process that does an iteration for each line that it is given, and answers with the milliseconds."""
    command = [sys.executable, "-c", STEPPING, name, precision]
    environment = os.environ | {"PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def step(process: subprocess.Popen[str]) -> float:
    """Milliseconds of the next iteration."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(file=process.stdin, flush=True)
    return float(process.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs=2, type=Path, metavar="CHECKOUT")
    parser.add_argument("--only", default=MEASURED, help=f"experiments (default: {MEASURED})")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    given = parser.parse_args()
    print("| | before, ms | after, ms | times as fast | by medians |\n|---|---:|---:|---:|---:|")
    for name in given.only.split(","):
        processes = [stepping(checkout, name, given.precision) for checkout in given.checkouts]
        rounds = [[step(process) for process in processes] for _ in range(WARM_UP + given.rounds)][WARM_UP:]
        for process in processes:
            process.communicate()
        before, after = zip(*rounds, strict=True)
        ratios = min(before) / min(after), median(before) / median(after)
        print(f"| {name} | {min(before):.0f} | {min(after):.0f} | {ratios[0]:.2f} | {ratios[1]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
