"""What an iteration of training, and the evaluations on the way, spend their time on."""

import statistics
from typing import NamedTuple

from ..data.augment.augment import augment
from ..evaluation.network import evaluate
from .clock import BFLOAT16_GAIN
from .loop import Trainer, order
from .timing import WARM_UP, seconds


class Times(NamedTuple):
    """Seconds, medians. iteration: all of it, with the next two; data: to draw a batch; augmentation: of that batch;
    evaluation: of an image, on the way."""

    iteration: float
    data: float
    augmentation: float
    evaluation: float


def shares_of(trainer: Trainer, times: Times) -> dict[str, float]:
    """Parts of the training time of a run as long as configured: data and augmentation, which are in it, evaluations on
    the way, and the one at the end, of all images, which is in float32."""
    settings, total = trainer.config.train, len(trainer.test_set)
    image = times.evaluation / (settings.iterations * times.iteration)
    return {
        "data": times.data / times.iteration,
        "augmentation": times.augmentation / times.iteration,
        "evaluation": settings.evaluations * min(settings.evaluation_images, total) * image,
        "at_the_end": total * image * (BFLOAT16_GAIN if settings.precision == "bfloat16" else 1),
    }


def times_of(trainer: Trainer, rounds: int, evaluated: int) -> Times:
    """The times of a trainer, in turns; `evaluated` images a round, at least one."""
    config, times = trainer.config, tuple(list[float]() for _ in range(4))

    def drawn() -> None:
        indices, _ = order(len(trainer.train_set), config.train.batch, config.train.seed, trainer.state.iteration)
        trainer.train_set.batch(indices.to(trainer.device))

    batch = trainer.train_set.batch(order(len(trainer.train_set), config.train.batch, config.train.seed, 0)[0])
    count = min(evaluated, len(trainer.test_set))

    def evaluation() -> None:
        with trainer.precision():
            evaluate(trainer.state.evaluated, trainer.test_set, config.loss, count, config.train.monitor)

    work = trainer.step, drawn, lambda: augment(batch, config.augment, 0, config.train.seed), evaluation
    for number in range(WARM_UP + rounds):
        for function, kept in zip(work, times, strict=True):
            taken = seconds(function)
            if number >= WARM_UP:
                kept.append(taken)
    iteration, data, augmentation, whole = map(statistics.median, times)
    return Times(iteration, data, augmentation, whole / count)
