"""The training loop: it fits on a slide, it learns, and every epoch shows every image once."""

import inspect
import re
from pathlib import Path

import pytest
import torch
from runs_in_seconds import small, train_on_sample

from pocketrcnn.training.limits import SEED
from pocketrcnn.training.loop import Trainer, order, step_seed

pytestmark = pytest.mark.slow


def test_an_epoch_shows_every_image_once_in_an_order_of_its_own() -> None:
    first = torch.cat([order(50, 10, 0, i)[0] for i in range(5)])
    second = torch.cat([order(50, 10, 0, i)[0] for i in range(5, 10)])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(50))
    assert not torch.equal(first, second)
    assert not torch.equal(first, torch.cat([order(50, 10, 1, i)[0] for i in range(5)]))
    assert [order(50, 10, 0, i)[1] for i in (0, 4, 5, 10)] == [0, 0, 1, 2]


def test_fewer_images_than_a_batch_are_all_shown() -> None:
    assert sorted(order(7, 100, 0, 3)[0].tolist()) == list(range(7))


def test_no_two_seeds_draw_the_same_numbers() -> None:
    """Of a number, torch's generator takes 32 bits."""
    seeds = [0, 1, 2, 255, 256, 257, 511, 512, 1000, 65536, 2**24, SEED - 1]
    numbers = [step_seed(seed, iteration) for seed in seeds for iteration in (0, 1, 2000, 2**24 - 1)]
    assert len({number % 2**32 for number in numbers}) == len(numbers)
    assert step_seed(7, 5) == 7 * 2**24 + 5, "as it always was for the seeds that people use"
    torch.manual_seed(step_seed(SEED - 1, 2**24 - 1))  # among those of torch


def test_the_loop_fits_on_a_slide() -> None:
    """At most 40 lines, without what interrupts a run: that stands around it, in `fit`."""
    loop = inspect.getsource(Trainer.train)
    assert loop.count("\n") <= 40
    assert not re.search(r"resume|restore|clock|time\.|signal|checkpoint|progress|run\.", loop)
    for word in ("self.batch(", "predict(state.model", "targets", "losses", "backward()", "optimiser.step()"):
        assert word in loop


def test_a_few_images_are_learned_by_heart(tmp_path: Path) -> None:
    config = small(
        "B1", train__iterations=40, train__batch=20, augment__flip="none", augment__shift=0, data__holdout=980
    )
    run = train_on_sample(tmp_path / "run", config)
    assert run.log_entries()[-1]["train"]["accuracy"] > 0.9


def test_bfloat16_trains_too(tmp_path: Path) -> None:
    run = train_on_sample(tmp_path / "run", small("F2", train__precision="bfloat16"))
    assert all(p.dtype == torch.float32 for p in run.load_model()[0].parameters())
