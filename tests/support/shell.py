"""The command line as a user types it: in this process, or in a separate one."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from pocketrcnn.cli.main import main
from pocketrcnn.config import TrainConfig
from pocketrcnn.course import experiments
from pocketrcnn.course.data import cifar, datasets
from pocketrcnn.course.data.cifar import Labelled


class Answer(NamedTuple):
    """What a command gave back."""

    code: int
    out: str
    err: str


class Shell:
    """Runs `pocketrcnn WORDS` in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, words: str, *more: object) -> Answer:
        self.capsys.readouterr()
        try:
            code = main([*shlex.split(words), *map(str, more)])
        except SystemExit as end:  # argparse ends so after --help and --version
            code = int(end.code or 0)
        return Answer(code, *self.capsys.readouterr())

    def refused(self, words: str, *more: object) -> str:
        """The one line with which a command refuses, exit code 2."""
        code, _, err = self(words, *more)
        assert code == 2, err
        assert err.startswith("pocketrcnn: "), err
        assert err.count("\n") == 1, err
        assert err.endswith("\n"), err
        return err.strip()


def start(*words: object) -> subprocess.Popen[str]:
    """`pocketrcnn WORDS` as a separate process, on one thread, with the short sample."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "NO_COLOR": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    code = "import pytest, shell, sys; shell.short_sample(pytest.MonkeyPatch()); sys.exit(shell.main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finish(process: subprocess.Popen[str]) -> Answer:
    """Wait for the end."""
    out, err = process.communicate(timeout=120)
    return Answer(process.returncode, out, err)


def short_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """40 test images in place of 500: a run of four iterations spends its time on evaluating them."""

    def short(split: Literal["train", "test"]) -> Labelled:
        return cifar.load_sample(split).part(slice(40)) if split == "test" else cifar.load_sample(split)

    monkeypatch.setattr(datasets, "load_sample", short)


def few_evaluations(monkeypatch: pytest.MonkeyPatch) -> None:
    """One point of the curves, on ten images: what costs time in a run of two iterations."""

    def brief(**settings: Any) -> TrainConfig:
        return TrainConfig(**settings | {"evaluations": 1, "evaluation_images": 10})

    monkeypatch.setattr(experiments, "TrainConfig", brief)


def reproduced(words: str, folder: Path) -> Path:
    """The output folder of a call of `reproduce` with few evaluations, for tests that only look at it."""
    with pytest.MonkeyPatch.context() as patch:
        few_evaluations(patch)
        assert main([*words.split(), str(folder)]) == 0
    return folder
