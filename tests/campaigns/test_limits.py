"""A trial in a child: what breaks a promise is noticed. Covers `limits.py`, `mutations.py` and `annotation_samples.py`
of the campaigns."""

import os
import signal
import time
from pathlib import Path
from random import Random

import pytest
import torch

from campaigns import mutations
from campaigns.annotation_samples import OBJECTS, Sample, samples
from campaigns.campaign import Broken
from campaigns.limits import command, limited
from pocketrcnn.data.check import inspect
from pocketrcnn.data.formats import read
from pocketrcnn.errors import UserError
from pocketrcnn.training.device import keep_memory

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")


def refused() -> None:
    raise UserError("no")


def spin() -> None:
    while time.process_time() >= 0:
        pass


def test_what_a_child_returns_prints_and_refuses(tmp_path: Path) -> None:
    assert limited(lambda: [1, "two"], tmp_path).value == [1, "two"]
    assert limited(lambda: print("said"), tmp_path).out == "said\n"
    assert limited(refused, tmp_path).refused == "no"
    assert Path(limited(os.getcwd, tmp_path).value).samefile(tmp_path)


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (lambda: 1 // 0, "ZeroDivisionError"),
        (spin, "hangs"),
        (lambda: len(bytearray(b"x" * 200_000_000)), "MB more"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "signal 9"),
    ],
)
def test_promises_that_a_child_breaks(work: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(Broken, match=message):
        limited(work, tmp_path, seconds=0.5 if work is spin else 20, memory=100_000_000)  # type: ignore[arg-type]


def test_what_the_parent_has_freed_is_no_memory_for_a_child(tmp_path: Path) -> None:
    """A command before has told the C library to keep what is freed, and a child would take that without growing."""
    keep_memory()
    for _ in range(2):  # what was above the limit at first comes from the kept memory then
        torch.ones(150_000_000)
    with pytest.raises(Broken, match="MB more"):
        limited(lambda: len(bytearray(b"x" * 200_000_000)), tmp_path, seconds=20, memory=100_000_000)


def test_commands_end_with_their_code(tmp_path: Path) -> None:
    assert command(["--version"], tmp_path).code == 0
    answer = command(["check", "nowhere"], tmp_path)
    assert answer.code == 2
    assert "nowhere does not exist" in answer.ended.err


@pytest.mark.parametrize("ending", [*mutations.BY_ENDING, ".png"])
def test_mutations_are_a_function_of_the_seed(ending: str) -> None:
    content = b'{"a": [1, 2], "b": "c"}\nd: e\n<x>1</x>\n'
    made = [mutations.mutated(content, ending, Random(seed)) for seed in range(40)]
    assert made == [mutations.mutated(content, ending, Random(seed)) for seed in range(40)]
    assert len(set(made)) > 20


@pytest.mark.parametrize("sample", list(samples()), ids=lambda sample: sample.format)
def test_samples_are_valid(sample: Sample, tmp_path: Path) -> None:
    sample.write(tmp_path)
    report = inspect(read(tmp_path))
    assert report.clean.format == sample.format
    assert sum(len(one.objects) for one in report.clean.examples) == OBJECTS
    assert not report.drops
    named = [text for name, text in sample.texts.items() if not name.endswith(("data.yaml", "classes.txt"))]
    assert sum(map(sample.claims, named)) == OBJECTS
