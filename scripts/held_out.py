"""An experiment trained with other settings, evaluated on images that are neither trained on nor test images.

    python scripts/held_out.py B1 --iterations 2000 --seeds 2 --set augment.shift=3 --set augment.cutout=8

The objects are those of CIFAR-10's training batch 5, which `reproduce` never uses as objects, on backgrounds of batch
4: 10,000 images, so that an accuracy of 80 % has a standard error of 0.4 points. One thread. Prints the metric of each
seed, the mean, what it was in the last tenth of training, and the seconds of the processor.
"""

from __future__ import annotations

import argparse
import time
from statistics import fmean

import torch

from pocketrcnn.config import Config, replace
from pocketrcnn.course.data.cifar import load_cifar10
from pocketrcnn.course.data.datasets import fixed_scenes, open_dataset, whole_images
from pocketrcnn.course.data.scenes import Pools
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.data.dataset import Dataset
from pocketrcnn.evaluation.measures import Means
from pocketrcnn.evaluation.network import evaluate
from pocketrcnn.training.config_file import override
from pocketrcnn.training.device import autocast, keep_memory
from pocketrcnn.training.loop import Trainer

NAME, OBJECTS, BACKGROUNDS = "training batch 5", ["data_batch_5.bin"], ["data_batch_4.bin"]
CPU = torch.device("cpu")


def held_out(config: Config) -> Dataset:
    """What a network of the configuration is evaluated on."""
    objects = load_cifar10(OBJECTS)
    if config.data.kind == "images":
        return whole_images(NAME, objects)
    return fixed_scenes(NAME, Pools(*objects, load_cifar10(BACKGROUNDS).images))


def trained(config: Config, metric: str) -> tuple[float, float]:
    """The metric on held-out images after training, and its mean over the last tenth of it."""
    trainer = Trainer(config, open_dataset(config.data, "train"), held_out(config), CPU)
    for _ in range(length := config.train.iterations):
        if trainer.state.iteration == length - max(1, length // 10):
            trainer.state.means = Means()
        trainer.step()
    with autocast(config.train.precision, CPU):
        found = evaluate(trainer.state.evaluated, trainer.test_set, config.loss)
    return found[metric], trainer.state.means.result()[metric]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--recipe", default="pocket")
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", dest="settings")
    given = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    experiment, begun = EXPERIMENTS[given.experiment], time.process_time()
    config = override(experiment.config(given.recipe, given.iterations, "cifar10", 0), given.settings)
    config = replace(config, train__precision=given.precision)
    seeds = range(given.first, given.first + given.seeds)
    runs = [trained(replace(config, train__seed=seed), experiment.published.metric) for seed in seeds]
    values = [value for value, _ in runs]
    print(
        f"{experiment.id} {given.iterations} {' '.join(given.settings) or '-'}:",
        *(f"{value:.4f}" for value in values),
        f"mean {fmean(values):.4f}, in training {fmean(value for _, value in runs):.4f},",
        f"{time.process_time() - begun:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
