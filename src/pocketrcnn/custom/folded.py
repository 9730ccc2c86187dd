"""A network for detection alone: BatchNorm, whose statistics no longer change, becomes part of the convolutions."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from ..model.faster_rcnn import FasterRCNN
from ..model.layers import Conv
from ..training.state import copied


@torch.no_grad()
def folded(model: FasterRCNN) -> FasterRCNN:
    """A copy that detects the same to float tolerance, a twentieth sooner (one image, quiet machine).

    A convolution is linear, and so is BatchNorm outside of training: one pass over each map in place of two.
    """
    result = copied(model)
    for conv, name, norm in list(normalised(result)):
        mean, var = norm.running_mean, norm.running_var
        assert mean is not None
        assert var is not None
        kernel, shift = fuse_conv_bn_weights(conv.weight, None, mean, var, norm.eps, norm.weight, norm.bias)
        conv.weight, conv.bias = kernel, shift
        result.set_submodule(name, nn.Identity().eval())
    return result.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def normalised(model: nn.Module) -> Iterator[tuple[Conv, str, nn.BatchNorm2d]]:
    """The convolutions with a BatchNorm behind them, its name, and it: in a network one directly follows the other."""
    layers = [(name, module) for name, module in model.named_modules() if not any(module.children())]
    for (_, conv), (name, norm) in pairwise(layers):
        if isinstance(conv, Conv) and isinstance(norm, nn.BatchNorm2d):
            yield conv, name, norm
