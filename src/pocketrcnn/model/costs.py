"""Multiplications and parameters of a network, layer by layer, counted on the modules themselves as they run."""

import dataclasses
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from ..config import ModelConfig
from ..errors import UserError
from .architectures import Layer
from .faster_rcnn import FasterRCNN

LARGEST_SIDE = 1_000_000  # pixels


def layers(config: ModelConfig) -> list[Layer]:
    """Every convolution and linear layer, in the order in which an image meets them.

    A convolution costs K*K * M * N * D*D multiplications, a depthwise one K*K * M * D*D, taps on the padding included,
    as the course counts; BatchNorm, activations and the crop of a region are not counted.
    """
    model = without_values(config).eval()
    image = torch.zeros(1, 3, config.input_size, config.input_size, dtype=torch.uint8, device="meta")
    rows: list[Layer] = []
    names = {module: name for name, module in model.named_modules()}

    def note(module: nn.Module, _: Any, output: Tensor) -> None:
        rows.append(describe(names[module], module, output))

    hooks = [m.register_forward_hook(note) for m in names if isinstance(m, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        model(image)
    for hook in hooks:
        hook.remove()
    return rows


def without_values(config: ModelConfig) -> FasterRCNN:
    """A network of shapes alone: an image of any size takes it neither time nor memory."""
    with torch.device("meta"):
        return FasterRCNN(config)


def describe(name: str, module: nn.Module, output: Tensor) -> Layer:
    """What the module of this name costs, which has just run and given output [B,C,H,W] or [B,C]."""
    name = name.removeprefix("backbone.blocks.")
    stage = name.split(".")[0] if name.startswith("conv") else name
    parameters = sum(p.numel() for p in module.parameters())
    trained = all(p.requires_grad for p in module.parameters())
    if isinstance(module, nn.Linear):
        shape = module.in_features, module.out_features
        return Layer(name, stage, "linear", (1, 1), *shape, (1, 1), shape[0] * shape[1], parameters, trained)
    assert isinstance(module, nn.Conv2d), "only convolutions and linear layers are counted"
    kernel, side = (module.kernel_size[0], module.kernel_size[1]), (output.shape[-2], output.shape[-1])
    each = kernel[0] * kernel[1] * module.in_channels // module.groups * module.out_channels
    kind = "depthwise" if module.groups > 1 else "pointwise" if kernel == (1, 1) else "convolution"
    channels, total = (module.in_channels, module.out_channels), each * side[0] * side[1]
    return Layer(name, stage, kind, kernel, *channels, side, total, parameters, trained)


def with_size(config: ModelConfig, side: int | None) -> ModelConfig:
    """The same network for images of `side` pixels. Raises UserError for less than a cell, or too many to count."""
    if side is None:
        return config
    if side > LARGEST_SIDE:
        raise UserError(f"--input-size {side}: use at most {LARGEST_SIDE} pixels")
    stride = without_values(config).backbone.stride
    if side < stride:
        raise UserError(f"--input-size {side}: this network needs images of at least {stride} pixels")
    return dataclasses.replace(config, input_size=side)


def parameters(config: ModelConfig) -> int:
    """All weights: those that are learned, BatchNorm's scale and shift included, and filters that stay fixed."""
    return sum(p.numel() for p in without_values(config).parameters())


def multiplications(rows: Iterable[Layer]) -> int:
    """Those of the convolutions, which the course counts."""
    return sum(row.multiplications for row in rows if row.kind != "linear")


def summary(name: str, config: ModelConfig) -> dict[str, Any]:
    """The costs of a network called `name` as JSON holds them; `multiplications` are those of the convolutions."""
    rows = layers(config)
    names = dict.fromkeys(row.stage for row in rows if row.kind != "linear")
    return {
        "network": name,
        "input": [3, config.input_size, config.input_size],
        "parameters": parameters(config),
        "multiplications": multiplications(rows),
        "multiplications_linear": sum(row.multiplications for row in rows if row.kind == "linear"),
        "stages": {name: multiplications(row for row in rows if row.stage == name) for name in names},
        "layers": [asdict(row) for row in rows],
    }
