"""The precision follows from what the processor does, not from what it says of itself.

Covers `training/machine.py`.
"""

import pytest
import torch

from pocketrcnn.training import device
from pocketrcnn.training.device import bfloat16_gain, choose_precision, convolution_seconds

CPU = torch.device("cpu")


@pytest.mark.parametrize(("seconds", "chosen"), [(0.5, "bfloat16"), (0.95, "float32"), (2.0, "float32")])
def test_bfloat16_is_chosen_where_it_is_clearly_faster(
    seconds: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "convolution_seconds", {torch.float32: 1.0, torch.bfloat16: seconds}.__getitem__)
    bfloat16_gain.cache_clear()
    assert choose_precision("auto", CPU) == chosen
    bfloat16_gain.cache_clear()


def test_what_is_asked_for_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "convolution_seconds", None)
    assert [choose_precision(name, CPU) for name in ("float32", "bfloat16")] == ["float32", "bfloat16"]


def test_a_process_measures_once_and_stays_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    first = bfloat16_gain()
    assert first > 0
    monkeypatch.setattr(device, "convolution_seconds", None)
    assert bfloat16_gain() == first


def test_measuring_takes_no_time_that_anybody_sees() -> None:
    assert 0 < convolution_seconds(torch.float32) < 1
