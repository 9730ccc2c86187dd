"""Training by several processes: how it stands up to deaths, how long an iteration takes, and how that may grow.

    python scripts/ranks.py kills --processes 2      20 times a random process is killed; torchrun starts all again
    python scripts/ranks.py speed                    an iteration with 1 and 2 processes, and a model up to 64

`kills` compares the last weights and those that were kept with those of a run that was left alone, byte for byte, and
says how long the other processes lived on. Exit code 1 if anything differs, or one of them lived for over 15 seconds.
`speed` times the ways in turn, so that whatever else the machine does slows all of them, and prints medians. The model:
an iteration takes `a + c * images of a process`, fitted to one process alone, and the time of a ring in which N
processes add up the gradients, 2 (N-1) messages of 1/N of them, and four small sums. Time and bandwidth of a message
are measured between two processes here, or those of an Ethernet.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kill_and_resume import finish, pocketrcnn, saved

SECONDS = 15  # in which the others end
POLL = 0.02
SIZES = (1_000, 30_000, 1_000_000, 4_000_000)  # numbers of float32 that are added up
NETWORKS = {"1 Gbit Ethernet": (100e-6, 0.117e9), "10 Gbit Ethernet": (30e-6, 1.17e9)}  # seconds, bytes a second
SMALL = (3 * 8, 16 * 8, 50 * 8, 4_000)  # bytes of the other sums: the number, losses, measures, BatchNorm
COUNTS = (1, 2, 4, 8, 16, 32, 64)


def torchrun(processes: int, *words: object) -> list[str]:
    """Words for Python in so many processes of one thread."""
    return [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={processes}",
        *map(str, words),
    ]


def scenes(folder: Path, images: int, side: int) -> Path:
    """Data that a command of the package makes."""
    data = folder / "scenes"
    finish(pocketrcnn("scenes", data, "--data", "sample", "--objects", "0-6", "--images", images, "--side", side))
    return data


def kills(options: argparse.Namespace, folder: Path) -> int:
    """Runs of which one process is killed each, compared with one that is left alone."""
    data, moments = scenes(folder, 24, 48), random.Random(options.seed)
    words = ["-m", "pocketrcnn", "train", data, "--iterations", options.iterations, "--preset", "small", "--batch", "8"]
    words += ["--device", "cpu", "--set", "train.checkpoint_seconds=0.01"]
    whole = folder / "whole"
    finish(torchrun(options.processes, *words, "--out", whole / "runs" / "run"))
    wanted, different, longest = weights(whole), 0, 0.0
    print(f"{options.processes} processes, moments from seed {options.seed}, weights {wanted[:16]}", flush=True)
    number = 0
    while number < options.kills:
        out = folder / "killed"
        rank, iteration = moments.randrange(options.processes), moments.randrange(1, options.iterations - 1)
        command = torchrun(options.processes, "--max-restarts=1", *words, "--out", out / "runs" / "run")
        lived = killed(command, out, rank, iteration, moments.uniform(0, 0.3))
        if lived is None:
            print(f"rank {rank} had ended before it was killed after iteration {iteration}: another moment", flush=True)
            shutil.rmtree(out)
            continue
        number += 1
        same = weights(out) == wanted
        different, longest = different + (not same), max(longest, lived)
        result = "same" if same else "OTHER"
        print(f"{number}: rank {rank} after iteration {iteration}, others {lived:.1f} s: {result} weights", flush=True)
        shutil.rmtree(out)
    print(f"{options.kills} kills, {different} with other weights, the others lived for {longest:.1f} s at most")
    return 1 if different or longest > SECONDS else 0


def killed(command: list[str], out: Path, rank: int, iteration: int, seconds: float) -> float | None:
    """Kill a process of torchrun so many seconds after a checkpoint has this iteration, and let it start again; returns
    how long the others lived, None where it had ended before."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and saved(out).get("iteration", 0) < iteration:
        time.sleep(POLL)
    time.sleep(seconds)
    ranks = {rank_of(one): one for one in children(process.pid)} if process.poll() is None else {}
    if rank not in ranks:
        process.wait()
        return None
    os.kill(ranks.pop(rank), signal.SIGKILL)
    begun = time.monotonic()
    while any(map(alive, ranks.values())):
        time.sleep(POLL)
    lived = time.monotonic() - begun
    if process.wait():
        raise SystemExit(f"torchrun ended with {process.returncode}: try it by hand, {' '.join(command)}")
    return lived


def children(process: int) -> list[int]:
    """The processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def rank_of(process: int) -> int:
    """What torchrun told a process."""
    words = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return next(int(word.removeprefix(b"RANK=")) for word in words if word.startswith(b"RANK="))


def alive(process: int) -> bool:
    """Whether a process is there."""
    return Path(f"/proc/{process}").exists()


def weights(out: Path) -> str:
    """SHA-256 of the last weights of a run, and of those that were kept."""
    (run,) = out.glob("runs/*")
    return hashlib.sha256(
        (run / "last.safetensors").read_bytes() + (run / "weights.safetensors").read_bytes()
    ).hexdigest()


def speed(options: argparse.Namespace, folder: Path) -> int:
    """Print times of iterations and sums, and what follows for more processes."""
    data = scenes(folder, 64, options.side)
    ways: dict[str, list[str]] = {"1 process, 2 threads": at_work(1, 2, data, options.batch, options)}
    ways |= {"2 processes, 1 thread each": at_work(2, 1, data, options.batch, options)}
    parts = {images: at_work(1, 1, data, images, options) for images in (2, 4, 8, options.batch)}
    ways |= {f"1 process, 1 thread, {images} images": command for images, command in parts.items()}
    ways |= {"sums": torchrun(2, __file__, "sums")}
    said: dict[str, list[Any]] = {name: [] for name in ways}
    for _ in range(options.rounds):
        for name, command in ways.items():
            said[name].append(answer(command))
    sums = np.median(np.array(said.pop("sums")), 0)
    parameters = said["2 processes, 1 thread each"][0]["parameters"]
    times = {name: statistics.median(one["seconds"] for one in many) for name, many in said.items()}
    print(f"{options.side} pixels, {options.batch} images an iteration, {parameters:,} parameters")
    for name, seconds in times.items():
        print(f"{name}: {seconds * 1e3:.0f} ms ({min(o['seconds'] for o in said[name]) * 1e3:.0f} at best)")
    print("sums: " + ", ".join(f"{size:,} numbers {one * 1e3:.2f} ms" for size, one in zip(SIZES, sums, strict=True)))
    alone = [times[f"1 process, 1 thread, {images} images"] for images in parts]
    slope, base = np.polyfit(list(parts), alone, 1)
    each, latency = np.polyfit(np.array(SIZES) * 4.0, sums, 1)  # a ring of two: two messages of half the bytes
    here = {"as measured here": (max(latency, sums[0]) / 2, 1 / each)}
    print(f"an iteration of one process: {base * 1e3:.0f} ms + {slope * 1e3:.1f} ms an image")
    whole = base + slope * options.batch
    for name, (delay, bandwidth) in (here | NETWORKS).items():
        print(f"{name}: {delay * 1e6:.0f} us a message, {bandwidth / 1e9:.2f} GB/s")
        for count in COUNTS:
            ring = sum(ring_seconds(size, count, delay, bandwidth) for size in (4 * parameters, *SMALL))
            cut = base + slope * options.batch / count + ring
            faster = f"{cut * 1e3:6.0f} ms, {whole / cut:5.1f} times as fast" if 2 * count <= options.batch else "  -"
            more = f"{whole / (whole + ring):4.0%} of the speed with {options.batch} images each"
            print(f"  {count:2} processes: {faster}; {more}")
    return 0


def ring_seconds(size: float, count: int, delay: float, bandwidth: float) -> float:
    """Seconds for so many bytes to be added up in a ring."""
    return 2 * (count - 1) * (delay + size / count / bandwidth)


def at_work(processes: int, threads: int, data: Path, images: int, options: argparse.Namespace) -> list[str]:
    """The command that times iterations in so many processes of so many threads."""
    words = torchrun(processes, __file__, "work", data, images, options.preset)
    return ["env", f"OMP_NUM_THREADS={threads}", *words]


def answer(command: list[str]) -> Any:
    """What a command says in JSON."""
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


def work(data: Path, images: int, preset: str) -> None:
    """In a process of torchrun: time iterations; the first process prints the median."""
    from pocketrcnn.config import replace
    from pocketrcnn.custom.options import TrainOptions
    from pocketrcnn.custom.together import follow, open_by_all
    from pocketrcnn.custom.train import both, data_of, prepared
    from pocketrcnn.training.device import choose_device, keep_memory
    from pocketrcnn.training.joining import joined
    from pocketrcnn.training.loop import Trainer

    keep_memory()
    options = TrainOptions(data, iterations=1000, batch=images, preset=preset, precision="float32", device="cpu")  # type: ignore[arg-type]
    with joined("cpu") as group:
        if group.rank:
            follow(data, "", "cpu", partial(both, quiet=True))
            return
        opened = open_by_all(data_of(options), None, "")
        config, sets, _ = prepared(options, opened, choose_device("cpu"))
        trainer = Trainer(replace(config, train__iterations=1000), *sets, choose_device("cpu"))
        times = timed(trainer.step, 3, 12)
        parameters = sum(one.numel() for one in trainer.state.model.parameters() if one.requires_grad)
        group.release(folder=data)
    print(json.dumps({"seconds": times, "parameters": parameters}))


def sums() -> None:
    """In a process of torchrun: time sums over the processes."""
    import torch
    from torch import distributed

    from pocketrcnn.training.joining import joined

    with joined("cpu") as group:
        tensors = [torch.zeros(size) for size in SIZES]
        found = [timed(partial(distributed.all_reduce, tensor), 3, 15) for tensor in tensors]  # type: ignore[attr-defined]
        group.waiting = False  # nobody follows
    if group.rank == 0:
        print(json.dumps(found))


def timed(step: Callable[[], object], before: int, count: int) -> float:
    """Seconds of a step, the median of so many."""
    for _ in range(before):
        step()
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def main() -> int:
    """Parse options and go."""
    if sys.argv[1:2] == ["work"]:
        work(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
        return 0
    if sys.argv[1:2] == ["sums"]:
        sums()
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["kills", "speed"])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--preset", default="medium")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["POCKETRCNN_DATA"] = str(Path(folder) / "cache")
        return (kills if options.what == "kills" else speed)(options, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
