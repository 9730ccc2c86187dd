"""Times. `pocketrcnn bench step`: how long one training iteration takes, and how near that is to the processor's best.

Everything is included: drawing and augmenting the batch, forward, backward, optimiser. Iterations alternate with a
matrix product of the same number format, so that a neighbour on the machine slows both; medians are given.
"""

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import torch

from ..config import Config, ModelConfig, replace
from ..evaluation.network import EVALUATION_BATCH
from ..model import costs
from ..training.device import choose_precision, keep_memory, number_format
from ..training.loop import Trainer
from ..training.machine import environment
from ..training.shares import shares_of, times_of
from ..training.threads import torch_threads
from ..training.timing import WARM_UP, alternate, seconds
from .data.datasets import open_dataset
from .experiments import EXPERIMENTS
from .observations import ON_GPU, ON_PROCESSOR, Time

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
    a, b = torch.randn(2, PRODUCT, PRODUCT, dtype=number_format(precision, device)).unbind(0)
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


def shares(source: str, rounds: int, iterations: int) -> dict[str, dict[str, float]]:
    """Of so many iterations of B1 and F2: what these, and the evaluations, spend their time on."""
    device, found = torch.device("cpu"), {}
    keep_memory()
    for name in ("B1", "F2"):
        config = EXPERIMENTS[name].config("pocket", iterations, source, 0)
        config = replace(config, train__precision=choose_precision("auto", device))
        trainer = Trainer(config, open_dataset(config.data, "train"), open_dataset(config.data, "test"), device)
        found[name] = shares_of(trainer, times_of(trainer, rounds, EVALUATION_BATCH))
    return found


ARM_ROUNDS = 10  # of an observation that times its arms
STEPS = {100: 2, 2: 10, 1: 20}  # iterations in a round, by images at once; their median counts


def arm_times(configs: Mapping[str, Config]) -> dict[str, dict[str, list[float]]]:
    """Milliseconds of an iteration or a prediction, by arm and measure, round by round; the arms take turns."""
    keep_memory()
    times: dict[str, dict[str, list[float]]] = {name: {} for name in configs}
    for time in (*ON_PROCESSOR, *(ON_GPU if torch.cuda.is_available() else ())):
        with torch_threads(1 if time.where == "one" else None):
            work = {name: one_step(config, time) for name, config in configs.items()}
            for number in range(WARM_UP + ARM_ROUNDS):
                for name, step in work.items():
                    taken = 1e3 * median(seconds(step) for _ in range(STEPS[time.batch]))
                    if number >= WARM_UP:
                        times[name].setdefault(time.name, []).append(taken)
    return times


def one_step(config: Config, time: Time) -> Callable[[], Any]:
    """An iteration of training, or a prediction in the precision of all that a user gets, from pixels to detections."""
    device = torch.device("cuda" if time.where == "gpu" else "cpu")
    config = replace(config, train__batch=max(2, time.batch))
    trainer = Trainer(config, open_dataset(config.data, "train"), open_dataset(config.data, "test"), device)
    model, images = trainer.state.model, trainer.batch(0).images[: time.batch]

    def step() -> None:
        if time.way == "training":
            trainer.step()
        else:
            with torch.no_grad():
                model.detect(images)
        if device.type == "cuda":
            torch.cuda.synchronize()

    model.train(time.way == "training")
    return step
