# %% [markdown]
# # Solutions of lesson 5: From boxes to classes: the spatial transformer and ROI pooling

# %% tags=["imports"]
import math

import torch
from torch import Tensor


# %% tags=["exercise"]
def theta_of_box(box: list[float], side: float) -> Tensor:
    """The matrix theta of a box in a square input: float32 [2,3]."""
    x1, y1, x2, y2 = box
    shift_x, shift_y = (x1 + x2) / side - 1, (y1 + y2) / side - 1  # 2x / W - 1, with x in the middle of x1 and x2
    return torch.tensor([[(x2 - x1) / side, 0.0, shift_x], [0.0, (y2 - y1) / side, shift_y]])


# %% tags=["exercise"]
def bilinear(values: Tensor, x: float, y: float) -> float:
    """The value of a map at a point between its cells."""
    height, width = values.shape
    across = (1 - (torch.arange(width) - x).abs()).clamp(min=0)  # [w], the weights of the columns
    down = (1 - (torch.arange(height) - y).abs()).clamp(min=0)  # [h], of the rows
    return float(down @ values @ across)


# %% tags=["exercise"]
def bins_of(low: float, high: float, count: int) -> list[tuple[int, int]]:
    """The first cell of each bin and the first one behind it, `count` pairs."""
    step = (high - low) / count
    starts = [math.floor(low + i * step) for i in range(count)]
    ends = [math.ceil(low + (i + 1) * step) for i in range(count)]
    return [(start, max(end, start + 1)) for start, end in zip(starts, ends, strict=True)]


# %% tags=["exercise"]
def cells_read(low: float, high: float, size: int, cells: int) -> list[int]:
    """The cells that have a weight above 0 for any point of a crop, along one axis, each once and in order."""
    read = set()
    for i in range(size):
        point = low + (i + 0.5) * (high - low) / size - 0.5  # counted from the centre of the first cell
        read |= {cell for cell in range(cells) if abs(cell - point) < 1}
    return sorted(read)
