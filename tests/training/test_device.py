"""The precision follows from what the processor does, not from what it says of itself, and is the same at every call.
How long torch's threads spin while they wait, whoever imports torch first.

Covers `training/machine.py`.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pocketrcnn.training import device
from pocketrcnn.training.device import bfloat16_gain, choose_precision, measured_gain

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def measured_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function itself, which `auto_becomes` replaces in other tests, of a processor that has bfloat16."""
    bfloat16 = device.cache(ORIGINAL)
    monkeypatch.setattr(device, "bfloat16_gain", bfloat16)
    monkeypatch.setattr(device, "instructions", lambda: {"avx512_bf16"})


ORIGINAL = bfloat16_gain.__wrapped__


@pytest.mark.parametrize(("gain", "chosen"), [(2.0, "bfloat16"), (1.05, "float32"), (0.5, "float32")])
def test_bfloat16_is_chosen_where_it_is_clearly_faster(
    gain: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "measured_gain", lambda: gain)
    assert choose_precision("auto", CPU) == chosen


def test_what_is_asked_for_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "measured_gain", None)
    assert [choose_precision(name, CPU) for name in ("float32", "bfloat16")] == ["float32", "bfloat16"]


def test_a_machine_measures_once_and_every_process_stays_with_it(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy neighbour at the second call must not give another network."""
    monkeypatch.setattr(device, "measured_gain", lambda: 2.0)
    assert choose_precision("auto", CPU) == "bfloat16"
    for later in (device.bfloat16_gain, ORIGINAL):  # in this process, and in another one
        monkeypatch.setattr(device, "measured_gain", lambda: 0.5)
        monkeypatch.setattr(device, "bfloat16_gain", later)
        assert choose_precision("auto", CPU) == "bfloat16"
    (kept,) = json.loads((empty_cache / "machine.json").read_text()).values()
    assert kept == {"bfloat16_gain": 2.0}


@pytest.mark.parametrize(("known", "measured"), [({"avx2", "avx512f"}, False), (set(), True), ({"amx_bf16"}, True)])
def test_a_processor_without_instructions_for_it_is_not_measured(
    known: set[str], measured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "instructions", lambda: known)
    monkeypatch.setattr(device, "measured_gain", lambda: 2.0)
    assert choose_precision("auto", CPU) == ("bfloat16" if measured else "float32")


@pytest.mark.skipif(sys.platform == "win32", reason="it counts the time of a thread by ticks of 16 ms")
def test_what_a_neighbour_takes_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A campaign trained in float32 once, where bfloat16 took half of the time, on a busy machine."""

    def convolution(dtype: torch.dtype) -> Callable[[], None]:
        def work() -> None:
            begun = time.thread_time()
            while time.thread_time() - begun < (0.004 if dtype == torch.float32 else 0.002):
                pass
            time.sleep(0.0 if dtype == torch.float32 else 0.02)

        return work

    monkeypatch.setattr(device, "convolution", convolution)
    assert measured_gain() == pytest.approx(2.0, rel=0.1)


def test_measuring_leaves_the_threads_alone() -> None:
    threads = torch.get_num_threads()
    assert measured_gain() > 0
    assert torch.get_num_threads() == threads


def in_a_new_process(code: str, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Python with nothing of OpenMP in its environment but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    environment = kept | {"PYTHONPATH": os.pathsep.join(sys.path)} | given
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="torch brings GNU OpenMP on Linux alone")
@pytest.mark.parametrize(
    ("imports", "spins"), [("import pocketrcnn, torch", "1000"), ("import torch, pocketrcnn", "300000")]
)
def test_threads_that_wait_soon_sleep_where_torch_is_not_there_before(imports: str, spins: str) -> None:
    """What libgomp itself says when it is loaded."""
    said = in_a_new_process(imports, {"OMP_DISPLAY_ENV": "VERBOSE"}).stderr
    assert re.findall(r"GOMP_SPINCOUNT = '(\d+)'", said) == [spins]


@pytest.mark.parametrize(
    ("given", "kept"), [({"GOMP_SPINCOUNT": "77"}, "77"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None"), ({}, "1000")]
)
def test_what_the_environment_says_of_waiting_stays(given: dict[str, str], kept: str) -> None:
    code = "import os, pocketrcnn; print(os.environ.get('GOMP_SPINCOUNT'))"
    assert in_a_new_process(code, given).stdout.split() == [kept]
