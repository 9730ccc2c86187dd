"""`pocketrcnn bench step`: how long one training iteration takes, and how near that is to the processor's best.

Everything is included: drawing and augmenting the batch, forward, backward, optimiser. Iterations alternate with a
matrix product of the same number format, so that a neighbour on the machine slows both; medians are given.
"""

from typing import Any

import torch

from ..config import ModelConfig, replace
from ..model import costs
from ..training.device import choose_precision, keep_memory
from ..training.loop import Trainer
from ..training.machine import environment
from ..training.timing import alternate
from .data.datasets import open_dataset
from .experiments import EXPERIMENTS

MEASURED = ("B1", "B2", "B3", "F2")
PRODUCT = 1536  # side of the square matrices: far larger than the caches, 40 ms on two cores


def training_flops(config: ModelConfig, batch: int) -> int:
    """Floating point operations of an iteration: 2 a multiplication, as many again for the gradient of the weights that
    are trained, and again for that of the input, unless it is the image. The optimiser's work is not counted.

    Taps on padding are counted, as in `costs.layers`; conv5 of Table 1 skips 20 of 36 (`kernels.conv_as_product`).
    """
    layers = costs.layers(config)
    return batch * sum(2 * (1 + row.trained + (row.in_channels != 3)) * row.multiplications for row in layers)


def step(source: str, rounds: int, recipe: str) -> dict[str, Any]:
    """Milliseconds, images a second, GFLOP/s and ratio to the matrix product, for each measured experiment."""
    device = torch.device("cpu")
    keep_memory()  # as `fit` does
    precision = choose_precision("auto", device)
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = torch.randn(2, PRODUCT, PRODUCT, dtype=dtype).unbind(0)
    configs = {
        name: replace(EXPERIMENTS[name].config(recipe, 100 * rounds, source, 0), train__precision=precision)
        for name in MEASURED
    }
    rows = []
    for name, config in configs.items():
        trainer = Trainer(config, open_dataset(config.data, "train"), open_dataset(config.data, "test"), device)
        seconds, product = alternate(trainer.step, lambda: a @ b, rounds)
        flops = training_flops(config.model, config.train.batch)
        speed, best = flops / seconds / 1e9, 2 * PRODUCT**3 / product / 1e9
        rows.append(
            {
                "experiment": name,
                "milliseconds": seconds * 1e3,
                "images_per_second": config.train.batch / seconds,
                "gflops": speed,
                "matrix_product_gflops": best,
                "ratio": speed / best,
            }
        )
    return {"recipe": recipe, "rounds": rounds, "rows": rows, **environment(configs[MEASURED[-1]], device)}
