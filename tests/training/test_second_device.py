"""Nothing is left behind on the processor, and nobody waits without need: training, evaluation and detection on a
second device, which calls itself `meta` and computes on the processor (`elsewhere`)."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from elsewhere import CPU, THERE, SecondDevice, There
from torch.optim import optimizer as torch_optimizer

from pocketrcnn.config import Config, replace
from pocketrcnn.course.data.datasets import open_dataset
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.train import prepared
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.data.dataset import Dataset
from pocketrcnn.evaluation.network import evaluate
from pocketrcnn.model import layers
from pocketrcnn.training import loop
from pocketrcnn.training.loop import Trainer

Task = tuple[Config, Dataset, Dataset]
EVERY_AUGMENTATION = {
    "zoom": "[0.5, 1.2]",
    "aspect": 0.2,
    "translate": 0.1,
    "shift": 2,
    "rotate": "true",
    "flip_vertical": "true",
    "hue": 0.1,
    "grey": 0.2,
    "invert": 0.3,
    "noise": 0.1,
    "cutout": 8,
    "paste": 2,
    "mosaic": 0.5,
}
LOSS = {"_local_scalar_dense": 1}
"""Whether the loss is finite is looked at before the optimiser's step: see `finite`."""
PAIRS = {"repeat_interleave": 1, "index of a mask": 3}
"""Only pairs of an anchor and an object that touch are compared (`boxes.match`); the device knows how many."""


@pytest.fixture(autouse=True)
def known_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch's optimisers and autocast know the device by its real name alone; sums are in one order on both devices."""
    from torch.optim import adam, adamw

    usual = torch_optimizer._get_fused_kernels_supported_devices  # type: ignore[attr-defined]
    for module in (torch_optimizer, adam, adamw):
        if hasattr(module, "_get_fused_kernels_supported_devices"):
            monkeypatch.setattr(module, "_get_fused_kernels_supported_devices", lambda: [*usual(), "meta"])
    monkeypatch.setattr(loop, "autocast", lambda *_: nullcontext())
    plain = torch.nn.functional
    monkeypatch.setattr(layers.NormPool, "apply", lambda x, _weight, _bias, norm: plain.max_pool2d(norm(x), 2))
    monkeypatch.setattr(
        layers.Depthwise, "apply", lambda x, w: plain.conv2d(x, w, padding=w.shape[-1] // 2, groups=len(w))
    )


def course(name: str, recipe: str) -> Task:
    """An experiment on the sample, with small batches."""
    config = EXPERIMENTS[name].config(recipe, 100, "sample", 0)
    config = replace(config, train__batch=4, train__precision="float32")
    return config, open_dataset(config.data, "train"), open_dataset(config.data, "test")


def custom(shapes: Path, *settings: str, **changes: Any) -> Task:
    """A small detector on a folder of images."""
    given: dict[str, Any] = {"iterations": 100, "preset": "small", "batch": 4, "precision": "float32"}
    options = TrainOptions(shapes, settings=settings, **given | changes)
    config, sets, _ = prepared(options, open_custom_data(options.source(shapes)), CPU)
    return config, *sets


def task(kind: str, shapes: Path) -> Task:
    match kind:
        case "folder":
            return custom(shapes, *(f"augment.{name}={value}" for name, value in EVERY_AUGMENTATION.items()))
        case "tiles":
            return custom(shapes, tiles=32)
        case "phases":
            return custom(shapes, *PHASES)
    return course(*kind.split())


PHASES = (
    'train.phases=[{"fraction": 0.01, "trained": ["backbone", "rpn"]},'
    ' {"fraction": 0.99, "trained": ["head"], "proposals": "frozen"}]',
)


def trained(device: torch.device, config: Config, train: Dataset, test: Dataset) -> Trainer:
    """After three iterations."""
    trainer = Trainer(config, train, test, device)
    trainer.train(range(3))
    return trainer


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["B1 pocket", "B2 course", "F2 pocket", "folder", "tiles", "phases"])
def test_training_and_evaluation_there_are_those_of_the_processor(kind: str, shapes: Path) -> None:
    config, train, test = task(kind, shapes)
    here = trained(CPU, config, train, test)
    metrics = evaluate(here.state.evaluated, here.test_set, config.loss, 6, config.train.monitor)
    with SecondDevice():
        there = trained(THERE, config, train, test)
        again = evaluate(there.state.evaluated, there.test_set, config.loss, 6, config.train.monitor)
        found = {name: tensor.cpu() for name, tensor in there.state.tensors().items() if isinstance(tensor, There)}
    assert again == pytest.approx(metrics, rel=1e-3, abs=1e-4)
    expected = here.state.tensors()
    assert set(expected) - set(found) <= {name for name in expected if name.endswith("step")}
    for name, tensor in found.items():
        assert torch.allclose(tensor, expected[name], rtol=1e-3, atol=1e-4), name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "waits"),
    [
        ("B1 pocket", LOSS),
        ("F2 pocket", LOSS | PAIRS),
    ],
)
def test_an_iteration_waits_for_the_device_only_where_it_has_to(kind: str, waits: dict[str, int], shapes: Path) -> None:
    with SecondDevice() as device:
        trainer = trained(THERE, *task(kind, shapes))
        device.waits.clear()
        trainer.train([3])
        assert device.waits == Counter(waits)


def test_tensors_of_two_devices_do_not_mix() -> None:
    with SecondDevice() as device:
        there = torch.arange(3.0, device=THERE)
        assert isinstance(there * 2 + torch.tensor(1), There), "a number goes anywhere"
        with pytest.raises(AssertionError, match=r"aten.add.Tensor of tensors on two devices: of shapes \[\(3,\)\]"):
            there + torch.arange(3)
        assert (there + torch.tensor([1.0, 2, 3], device=THERE)).tolist() == [1, 3, 5]
        assert device.waits == {"to the processor": 1}
