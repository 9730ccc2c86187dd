"""B1 by the pocket recipe, as `pocketrcnn reproduce --only B1`, evaluated on all test images at equal intervals.

The short schedule has a fixed number of iterations, so that its time is what it takes; evaluation is not counted.
"""

from __future__ import annotations

import math

import exchange

from pocketrcnn.config import replace
from pocketrcnn.course.experiments import EXPERIMENTS
from pocketrcnn.course.reproduce import datasets
from pocketrcnn.training.device import choose_device
from pocketrcnn.training.fit import fit
from pocketrcnn.training.machine import versions
from pocketrcnn.training.run import Run

EXPERIMENT, RECIPE, SOURCE = EXPERIMENTS["B1"], "pocket", "cifar10"


def main() -> None:
    """Train, and write the curve: iterations, seconds of training, accuracy."""
    parser = exchange.parser(__doc__)
    parser.add_argument("--interval", type=int, required=True, help="iterations between two evaluations")
    options = parser.parse_args()
    settings = EXPERIMENT.config(RECIPE, EXPERIMENT.short, SOURCE, options.seed)
    evaluations = math.ceil(EXPERIMENT.short / options.interval)
    sets = datasets(settings.data)
    settings = replace(settings, train__evaluations=evaluations, train__evaluation_images=len(sets[1]))
    with Run(options.out / "run", settings, choose_device("cpu")) as run:
        metrics = fit(*sets, run)
        pace = metrics["seconds"] / metrics["iterations"]
        curve = [(one["iteration"], one["iteration"] * pace, one["test"]["accuracy"]) for one in run.log_entries()]
        hardware = run.environment()["hardware"]
    exchange.write(
        options.out / exchange.RESULT,
        {
            "curve": curve,
            "iterations": metrics["iterations"],
            "seconds": metrics["seconds"],
            "threads": hardware["threads"],
            "precision": hardware["precision"],
            "versions": versions(),
        },
    )


if __name__ == "__main__":
    main()
