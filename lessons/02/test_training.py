"""The hidden tests of lesson 2. `../tests/wrong_answers/02_training.py` has the usual wrong answers that they find."""

import math
from typing import Any

import pytest
import torch
from torch.nn import functional

HIGH = 1000.0


def test_cross_entropy_of_equal_logits(work: Any) -> None:
    found = work.cross_entropy(torch.zeros(2, 4), torch.tensor([0, 3]))
    assert found == pytest.approx(math.log(4)), (
        f"for two images with four logits of 0 your function gives {found:.4f}; every class has the probability 1/4, "
        f"and the loss is log(4) = {math.log(4):.4f}: which logarithm, which sign, sum or mean?"
    )


def test_cross_entropy_of_a_sure_answer(work: Any) -> None:
    logits = torch.tensor([[20.0, 0.0, 0.0]])
    right, wrong = (work.cross_entropy(logits, torch.tensor([label])) for label in (0, 1))
    assert right == pytest.approx(0.0, abs=1e-4), (
        f"for logits 20, 0, 0 and class 0 your function gives {right:.4f}, not 0"
    )
    assert wrong == pytest.approx(20.0, abs=1e-3), (
        f"for logits 20, 0, 0 and class 1, which has a tiny probability, your function gives {wrong:.4f}, not 20"
    )


@pytest.mark.parametrize("count", [1, 3, 7])
def test_cross_entropy_of_random_logits(work: Any, count: int) -> None:
    generator = torch.Generator().manual_seed(count)
    logits, labels = torch.randn(count, 5, generator=generator), torch.randint(0, 5, (count,), generator=generator)
    found, expected = work.cross_entropy(logits, labels), float(functional.cross_entropy(logits, labels))
    assert found == pytest.approx(expected, abs=1e-5), (
        f"for {count} random rows of five logits your function gives {found:.4f}, and torch {expected:.4f}"
    )


def test_cross_entropy_of_large_logits(work: Any) -> None:
    found = work.cross_entropy(torch.tensor([[HIGH, 0.0], [-HIGH, -HIGH]]), torch.tensor([1, 0]))
    expected = (HIGH + math.log(2)) / 2
    assert found == pytest.approx(expected, rel=1e-5), (
        f"for the logits 1000, 0 of class 1 and -1000, -1000 of class 0 your function gives {found}; "
        f"it is {expected:.3f}: which intermediate result is too large, or 0?"
    )


def test_momentum_step_of_the_example(work: Any) -> None:
    weight, memory = work.momentum_step(torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([0.0]), 0.1, 0.9)
    assert float(memory) == pytest.approx(2.0), (
        f"memory 0, gradient 2, momentum 0.9: your memory becomes {float(memory):g}"
    )
    assert float(weight) == pytest.approx(0.8), (
        f"weight 1, new memory 2, rate 0.1: your weight becomes {float(weight):g}"
    )


def test_momentum_step_goes_on_as_torch_does(work: Any) -> None:
    weight, memory = torch.tensor([1.0, -2.0]), torch.zeros(2)
    theirs = weight.clone().requires_grad_()
    optimiser = torch.optim.SGD([theirs], lr=0.05, momentum=0.8)
    for step in range(1, 5):
        theirs.grad = gradient = torch.tensor([0.5 * step, -1.0])
        optimiser.step()
        weight, memory = work.momentum_step(weight, gradient, memory, 0.05, 0.8)
        assert torch.allclose(weight, theirs.detach()), (
            f"step {step} with rate 0.05 and momentum 0.8: your weights are {weight.tolist()}, "
            f"those of torch {theirs.tolist()}"
        )


def test_momentum_step_leaves_its_arguments_alone(work: Any) -> None:
    given = [torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([3.0])]
    work.momentum_step(*given, 0.1, 0.9)
    for name, tensor, before in zip(("weight", "gradient", "memory"), given, (1.0, 2.0, 3.0), strict=True):
        assert float(tensor) == before, f"`{name}` was {before:g} before the call and is {float(tensor):g} after it"


def images() -> torch.Tensor:
    """Three images of 2 rows and 4 columns, all values different."""
    return torch.arange(3 * 3 * 2 * 4, dtype=torch.uint8).view(3, 3, 2, 4)


def test_mirrored_keeps_shape_and_type(work: Any) -> None:
    found = work.mirrored(images(), torch.tensor([True, False, True]))
    assert found.shape == (3, 3, 2, 4), (
        f"images of 2 rows and 4 columns, [3,3,2,4], become {list(found.shape)}: are rows and columns swapped?"
    )
    assert found.dtype == torch.uint8, f"the images were uint8, and are {found.dtype}"


@pytest.mark.parametrize("chosen", [(True, False, True), (False, True, False), (False,) * 3, (True,) * 3])
def test_mirrored_mirrors_the_chosen(work: Any, chosen: tuple[bool, ...]) -> None:
    before, found = images(), work.mirrored(images(), torch.tensor(chosen))
    for number, mirror in enumerate(chosen):
        row, now = before[number, 0, 0].tolist(), found[number, 0, 0].tolist()
        said = f"chosen = {list(chosen)}: the first row of image {number} was {row} and is {now}"
        assert now == (sorted(row, reverse=True) if mirror else row), said
        upright = found[number].flip(-1) if mirror else found[number]
        assert torch.equal(upright, before[number]), (
            f"chosen = {list(chosen)}: the first row of image {number} is right, but others, or other colours, are not"
        )


def test_mirrored_makes_a_new_batch(work: Any) -> None:
    before = images()
    work.mirrored(before, torch.tensor([True, True, False]))
    assert torch.equal(before, images()), "the batch that was given is changed: make a new one"


@pytest.mark.parametrize(
    ("accuracies", "patience", "expected"),
    [
        ([0.2, 0.4, 0.4, 0.3, 0.9], 2, 4),
        ([0.2, 0.3, 0.4], 1, 3),
        ([0.5, 0.4, 0.6, 0.5, 0.7, 0.6, 0.5], 2, 7),
        ([0.5, 0.4, 0.6, 0.5, 0.5, 0.9], 2, 5),
        ([0.5, 0.1, 0.2, 0.3, 0.4], 3, 4),
        ([0.0, 0.0, 0.0], 2, 3),
        ([0.3, 0.3], 1, 2),
        ([0.9], 1, 1),
        ([0.1, 0.2, 0.1, 0.2, 0.3], 5, 5),
    ],
)
def test_evaluations_until_stop_counts(work: Any, accuracies: list[float], patience: int, expected: int) -> None:
    found = work.evaluations_until_stop(list(accuracies), patience)
    assert found == expected, (
        f"for the accuracies {accuracies} and patience {patience} your function gives {found}; "
        f"{expected} evaluations are made"
    )
