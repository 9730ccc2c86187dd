"""A sweep by two processes that are killed, and the recipe for Ray Tune in docs/scale.md as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib
import painted
import pytest
import torch
from shell import start

from pocketrcnn.custom.seeds import train
from pocketrcnn.custom.sweep.record import read_options, read_plan
from pocketrcnn.custom.sweep.space import texts

ROOT = Path(__file__).parents[2]
PATIENCE = 280.0  # seconds for what takes twenty where nobody else computes
TRIALS = 12
VARIED = "--set optim.filter_lr=0.05..0.2,log --set augment.paste=0..4 --set optim.momentum=0.8,0.9"
TINY = "--preset small --batch 2 --input-size 32 --device cpu --iterations 6 --set train.checkpoint_seconds=0"


def recipe() -> str:
    """The program that imports Ray Tune."""
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    return next(text for text in re.findall(r"```py\n(.*?)```", page, re.DOTALL) if "from ray import tune" in text)


def results(folder: Path) -> dict[str, int]:
    """How each trial ended: the files, with the time at which they were written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "results").glob("trial-*.json")}


def begun(folder: Path) -> dict[str, int]:
    """The trials that have a run, with the time at which it began."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("trial-*/env.json")}


def half_done(folder: Path) -> list[str]:
    """Trials that have a checkpoint and no end."""
    with_state = [path.parent.name for path in folder.glob("trial-*/checkpoint.safetensors")]
    return [name for name in with_state if f"{name}.json" not in results(folder)]


def kill_both(command: list[str], folder: Path, done: int) -> tuple[dict[str, int], dict[str, int], list[str]]:
    """Two processes, killed when so many trials are done and one is half done. What was there then."""
    both = [start(*command) for _ in range(2)]
    until = time.monotonic() + PATIENCE
    while (len(results(folder)) < done or not half_done(folder)) and time.monotonic() < until:
        time.sleep(0.005)
    ended = [process.poll() for process in both]
    for process in both:
        process.kill()
    said = [process.communicate() for process in both]
    assert ended == [None, None], said
    return results(folder), begun(folder), half_done(folder)


@pytest.mark.timeout(3 * PATIENCE)
def test_twelve_trials_by_two_processes_that_are_killed_twice(tmp_path: Path) -> None:
    data, folder = painted.write(tmp_path / "data", train=16, val=4, test=2), tmp_path / "sweep"
    command = ["sweep", str(data), *TINY.split(), *VARIED.split(), "--trials", str(TRIALS), "--out", str(folder)]
    killed = [kill_both(command, folder, done) for done in (1, 6)]
    both = [start(*command) for _ in range(2)]
    said = [process.communicate(timeout=PATIENCE) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    plan = read_plan(folder)
    assert len(plan.trials) == len({json.dumps(one) for one in plan.trials}) == TRIALS
    assert sorted(results(folder)) == [f"trial-{number:03d}.json" for number in range(TRIALS)]
    assert {json.loads(path.read_text())["state"] for path in (folder / "results").iterdir()} == {"finished"}
    for ended, runs, _ in killed:
        assert ended.items() <= results(folder).items(), "what was done is not done again"
        assert runs.items() <= begun(folder).items(), "what was begun is not begun again"
    assert all("best by validation images" in out for out, _ in said)
    assert not list(folder.rglob("*.part"))
    assert_as_undisturbed(folder, killed[-1][-1][0], tmp_path / "alone")


def assert_as_undisturbed(folder: Path, name: str, alone: Path) -> None:
    """A trial that was killed has the weights of one that was not."""
    plan = read_plan(folder)
    settings = (*read_options(folder, plan).space.fixed, *texts(plan.trials[int(name[-3:])]))
    known: dict[str, Any] = {"preset": plan.preset, "precision": plan.precision, "out": alone}
    torch.set_num_threads(1)
    train(read_options(folder, plan).trial(settings, device="cpu", **known))
    for kept in ("weights.safetensors", "log.jsonl"):
        assert (alone / kept).read_bytes() == (folder / name / kept).read_bytes(), name


def test_the_recipe_for_ray_tune(tmp_path: Path) -> None:
    data = painted.write(tmp_path / "data", train=8, val=4)
    tiny = "iterations=2, preset='small', batch=2, input_size=32, device='cpu', quiet=True"
    text = recipe()
    for before, after in (
        ('"/data/my-images"', repr(str(data))),
        ("iterations=500", tiny),
        ("num_samples=20", "num_samples=2"),
    ):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    (tmp_path / "recipe.py").write_text(text, encoding="utf-8")
    environment = os.environ | {"HOME": str(tmp_path), "OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path), "MPLCONFIGDIR": matplotlib.get_cachedir()}
    command = [sys.executable, "recipe.py"]
    out = subprocess.run(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, check=True, timeout=PATIENCE)
    found = out.stdout.decode().splitlines()[-1]
    assert found.startswith("{'optim.filter_lr': 0."), found
    assert (Path(found.rpartition(" ")[2]) / "weights.safetensors").is_file()
