"""`predict` in parts by processes at once, run by `make scale`: the union is the whole, and nothing is made twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bright_scenes import merged
from exported_runs import made_by_hand
from tiny_detectors import saved

import pocketrcnn

IMAGES, SIZE = 240, 5  # images, images of a part


@pytest.fixture
def words(tmp_path: Path) -> tuple[str, ...]:
    """`predict` without its folder."""
    random = np.random.default_rng(0)
    for number in range(IMAGES):
        path = tmp_path / "images" / f"{number % 3}" / f"{number:03d}.png"
        saved(path, random.integers(0, 256, (8, 8, 3), np.uint8))
    model = made_by_hand(tmp_path / "model.onnx")
    pattern = str(tmp_path / "images" / "**" / "*.png")
    return ("-m", "pocketrcnn", "predict", str(model), pattern, "--batch", "1", "--part-size", str(SIZE), "--out")


def started(*command: str) -> subprocess.Popen[str]:
    """Python, as a process of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, *command], text=True, env=environment, **pipes)  # type: ignore[call-overload]


def require_whole(out: Path, words: tuple[str, ...], said: list[str]) -> None:
    """All parts are there, each made once, and merged they are what one call gives."""
    made = [int(number) for text in said for number in re.findall(r"^(\d+) parts? made", text, re.MULTILINE)]
    assert sum(made) == IMAGES // SIZE
    assert len(made) == len([number for number in made if number]), "each had something to do"
    lines = [line for part in (out / "parts").iterdir() for line in part.read_text().splitlines()]
    assert len({json.loads(line)["image"] for line in lines}) == len(lines) == IMAGES
    pocketrcnn.merge(out, quiet=True)
    alone = started(*words, str(out.with_name("alone")))
    assert alone.communicate()[1] == ""
    assert merged(str(out)) == merged(str(out.with_name("alone")))


def test_three_shares_at_once(tmp_path: Path, words: tuple[str, ...]) -> None:
    processes = [started(*words, str(tmp_path / "out"), "--shard", f"{index}/3") for index in range(3)]
    ended = [process.communicate() for process in processes]
    assert [err for _, err in ended] == [""] * 3
    require_whole(tmp_path / "out", words, [out for out, _ in ended])


def test_two_processes_of_torchrun(tmp_path: Path, words: tuple[str, ...]) -> None:
    run = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    process = started(*run, *words, str(tmp_path / "out"))
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert {"torchrun: shard 0/2", "torchrun: shard 1/2"} <= {*out.splitlines()}
    require_whole(tmp_path / "out", words, [out])
