"""An iteration of training before and after a change, in turn: two checkouts, a process of each.

    python scripts/step_pairs.py BEFORE AFTER --rounds 10 --precision bfloat16
    python scripts/step_pairs.py BEFORE AFTER --threads 2 --neighbours 1

With one thread, milliseconds are of the processor, so that a neighbour on the machine is counted only by what it takes
of caches and memory; with more, they are those of the clock. `--neighbours` starts programs that burn a core each. The
smallest and the median of all rounds are given. `pocketrcnn bench step` measures one checkout by the clock.
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
import sys, time
from pocketrcnn.config import replace  # first: it says how torch's threads wait
import torch
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.training.device import keep_memory
from pocketrcnn.training.loop import Trainer

keep_memory()
name, precision, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
now = time.process_time if threads == "1" else time.perf_counter
config = replace(EXPERIMENTS[name].config("pocket", 2000, "sample", 0), train__precision=precision)
trainer = Trainer(config, *(open_dataset(config.data, split) for split in ("train", "test")), torch.device("cpu"))
for _ in sys.stdin:
    begun = now()
    trainer.step()
    print(1e3 * (now() - begun), flush=True)
"""


def stepping(checkout: Path, name: str, precision: str, threads: int) -> subprocess.Popen[str]:
    """A process that does an iteration for each line that it is given, and answers with the milliseconds."""
    command = [sys.executable, "-c", STEPPING, name, precision, str(threads)]
    environment = os.environ | {"PYTHONPATH": str(checkout / "src"), "OMP_NUM_THREADS": str(threads)}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def step(process: subprocess.Popen[str]) -> float:
    """Milliseconds of the next iteration."""
    assert process.stdin is not None
    assert process.stdout is not None
    print(file=process.stdin, flush=True)
    return float(process.stdout.readline())


def compare(name: str, given: argparse.Namespace) -> None:
    """Print a line of the table."""
    processes = [stepping(checkout, name, given.precision, given.threads) for checkout in given.checkouts]
    rounds = [[step(process) for process in processes] for _ in range(WARM_UP + given.rounds)][WARM_UP:]
    for process in processes:
        process.communicate()
    before, after = zip(*rounds, strict=True)
    smallest, middle = (min(before), min(after)), (median(before), median(after))
    times = (f"{old:.0f} | {new:.0f} | {old / new:.2f}" for old, new in (smallest, middle))
    print(f"| {name} | {' | '.join(times)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs=2, type=Path, metavar="CHECKOUT")
    parser.add_argument("--only", default=MEASURED, help=f"experiments (default: {MEASURED})")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--neighbours", type=int, default=0, help="programs that burn a core each")
    given = parser.parse_args()
    print("| | smallest before, ms | after | times as fast | median before | after | times as fast |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(given.neighbours)]
    try:
        for name in given.only.split(","):
            compare(name, given)
    finally:
        for neighbour in burning:
            neighbour.kill()


if __name__ == "__main__":
    main()
