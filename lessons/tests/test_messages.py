"""How messages say with which arguments a student's function was called."""

import numpy as np
import pytest
import torch

from making import messages
from making import work as student


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([0.1 + 0.2, 2.0, 3, True, None, "a"], "[0.3, 2.0, 3, True, None, 'a']"),
        (([], {"a": (1, 2)}), "([], {'a': (1, 2)})"),
        (torch.tensor([[0.1, 2.0]], requires_grad=True), "Tensor [1,2] [[0.1, 2.0]]"),
        (torch.zeros(0, 4), "Tensor [0,4]"),
        (np.zeros((3, 5)), "ndarray [3,5]"),
        (np.float64(1e-7), "1e-07"),
        (torch.tensor(3), "3"),
        (list(range(99)), "list of 99"),
        ("x" * 99, f"'{'x' * 56}..."),
        (torch.nn.Sequential(torch.nn.ReLU()), "Sequential of 1"),
        (print, "`print`"),
        (object(), "object"),
    ],
)
def test_arguments_are_shown_in_a_few_words(value: object, words: str) -> None:
    assert student.shown(value) == words


def test_arguments_are_said_as_they_were_when_the_call_began() -> None:
    def bins_of(low: list[float], high: float, count: int = 2) -> list[int]:
        while True:
            low.pop()

    work = student.of_function(bins_of)
    with pytest.raises(IndexError) as caught:
        work.bins_of([1.5, 2.0], high=4.0)
    said = messages.outcome(caught.value, "bins_of", work).message
    assert said.endswith("(IndexError: pop from empty list), called with low = [1.5, 2.0], high = 4.0")
