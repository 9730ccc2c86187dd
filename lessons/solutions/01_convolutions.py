# %% [markdown]
# # Solutions of lesson 1

# %% tags=["imports"]
import torch
from torch import Tensor


# %% tags=["exercise"]
def convolved(image: Tensor, kernel: Tensor) -> Tensor:
    """A filter at all places of an image where it fits whole: [H,W], [K,K] -> [H-K+1,W-K+1]."""
    side = len(kernel)
    output = torch.zeros(image.shape[0] - side + 1, image.shape[1] - side + 1)
    for i in range(output.shape[0]):
        for j in range(output.shape[1]):
            output[i, j] = (kernel * image[i : i + side, j : j + side]).sum()
    return output


# %% tags=["exercise"]
def side_after(side: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    """The side of the map behind a layer, in cells."""
    return (side + 2 * padding - kernel) // stride + 1


# %% tags=["exercise"]
def part_of_dense(kernel: int, outputs: int) -> float:
    """(K K M D D + M N D D) / (K K M N D D): M and D cancel."""
    return 1 / outputs + 1 / kernel**2


# %% tags=["exercise"]
def number_for_outputs(published: int, kernel: int, inputs: int, side: int) -> float:
    """What stands in the dense formula in place of N: 5 in all four blocks, the kernel of the ConvNet's layers."""
    return published / (kernel**2 * inputs * side**2)


# %% tags=["exercise"]
def receptive_field(layers: list[tuple[int, int]]) -> int:
    """The side of the receptive field behind all layers, in pixels: 52 for the base network of the detectors."""
    field, distance = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * distance
        distance *= stride
    return field
