"""The hidden tests of lesson 4.

What they catch, each tried:

- `bias_for`: the logarithm of the probability alone; the odds without a logarithm; the wrong sign; log2 or log10; the
  sigmoid itself.
- `smooth_l1_of`: no "- 1/2" in the straight part; no "1/2" in the square; no absolute value, so that negative
  differences cost nothing or less than nothing; the two parts swapped; the square, or the straight part, everywhere.
- `mean_cross_entropy`: ignored anchors counted as negative, as positive, or in the number; the sum; each class averaged
  by itself; logits read as probabilities; a logarithm of 0; positive anchors alone; the sign; nothing to count.
- `greedy_nms`: boxes that were removed remove others; "or equal" at the threshold; boxes taken in the order in which
  they lie, or the worst first; the indices in their own order; positions in the sorted list; only neighbours compared.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional as F

from pocketrcnn.model import boxes, rpn


def test_bias_for_one_half(work: Any) -> None:
    given = float(work.bias_for(0.5))
    assert abs(given) < 1e-9, (
        f"for a probability of 0.5 your function gives {given:g}; as many positive as negative: no bias"
    )


def test_bias_for_is_undone_by_the_sigmoid(work: Any) -> None:
    for probability in (0.01, 0.12, 0.3, 0.9, 0.999):
        given = float(work.bias_for(probability))
        back = float(torch.sigmoid(torch.tensor(given, dtype=torch.float64)))
        said = f"for a probability of {probability} your function gives {given:.4f}, whose sigmoid is {back:.4f}"
        assert math.isclose(back, probability, rel_tol=1e-5), f"{said}; the sigmoid should lead back"


def cost(work: Any, difference: float, expected: float, why: str) -> None:
    given = float(work.smooth_l1_of(difference))
    assert math.isclose(given, expected, abs_tol=1e-6), (
        f"for the difference {difference} your function gives {given:g}; {why}"
    )


def test_smooth_l1_of_small_differences(work: Any) -> None:
    cost(work, 0.0, 0.0, "a perfect prediction costs nothing")
    cost(work, 0.5, 0.125, "near 0 it is half of the square")
    cost(work, -0.2, 0.02, "a difference costs the same to either side")


def test_smooth_l1_of_large_differences(work: Any) -> None:
    cost(work, 3.0, 2.5, "beyond 1 it goes on straight, from where the square ends")
    cost(work, -5.0, 4.5, "a difference costs the same to either side, and a cost is never negative")


def test_smooth_l1_of_differences_around_1(work: Any) -> None:
    below, at, above = (float(work.smooth_l1_of(d)) for d in (0.9999, 1.0, 1.0001))
    assert abs(below - above) < 1e-3, (
        f"at 0.9999 your function gives {below:g}, at 1.0001 {above:g}: there should be no jump"
    )
    cost(work, 1.0, 0.5, "both parts meet at 1")
    assert at >= below, f"your function falls from {below:g} at 0.9999 to {at:g} at 1: larger differences cost more"


def test_smooth_l1_of_agrees_with_torch(work: Any) -> None:
    for d in torch.linspace(-2.5, 2.5, 21).tolist():
        expected = F.smooth_l1_loss(torch.tensor(d), torch.tensor(0.0)).item()
        cost(work, d, expected, "torch's `smooth_l1_loss` gives another value")


def entropy(work: Any, logits: list[float], labels: list[int], expected: float, why: str) -> None:
    given = work.mean_cross_entropy(torch.tensor(logits), torch.tensor(labels))
    said = f"for the logits {logits} and the labels {labels} your function gives"
    assert given.numel() == 1, f"{said} {given.numel()} numbers; the loss is one number"
    value = given.item()
    assert math.isfinite(value), f"{said} {value}; no logit should make the loss infinite or no number"
    assert math.isclose(value, expected, rel_tol=1e-4, abs_tol=1e-5), f"{said} {value:.4f}; {why}"


def test_mean_cross_entropy_of_one_half_everywhere(work: Any) -> None:
    entropy(work, [0.0, 0.0, 0.0], [1, 0, 0], math.log(2), "a network that always says one half has a loss of log 2")


def test_mean_cross_entropy_of_one_anchor(work: Any) -> None:
    entropy(work, [2.0], [1], 0.126928, "a logit of 2 says 88 % to an object, and is right: a small loss")
    entropy(work, [2.0], [0], 2.126928, "a logit of 2 says 88 % where there is no object: a large loss")


def test_mean_cross_entropy_leaves_ignored_anchors_out(work: Any) -> None:
    entropy(
        work, [0.0, 0.0, 9.0], [1, 0, -1], math.log(2), "ignored anchors count neither in the sum nor in the number"
    )
    entropy(work, [0.0, -9.0, -9.0, 9.0], [1, -1, -1, -1], math.log(2), "of four anchors three are ignored")


def test_mean_cross_entropy_is_one_mean_over_both_kinds(work: Any) -> None:
    expected = (3 * 0.0485874 + 2.126928) / 4
    entropy(work, [3.0, -3.0, -3.0, -2.0], [1, 0, 0, 1], expected, "each anchor that is counted has the same weight")


def test_mean_cross_entropy_of_logits_that_are_sure(work: Any) -> None:
    entropy(work, [-200.0, 3.0], [1, -1], 200.0, "sure and wrong by a logit of 200 costs 200")
    entropy(work, [200.0, -200.0], [1, 0], 0.0, "sure and right costs nothing")
    entropy(work, [200.0], [0], 200.0, "sure and wrong by a logit of 200 costs 200")


def test_mean_cross_entropy_without_counted_anchors(work: Any) -> None:
    entropy(work, [1.0, 2.0], [-1, -1], 0.0, "nothing is counted")


def test_mean_cross_entropy_agrees_with_the_package(work: Any) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(36) * 3, torch.randint(-1, 2, (36,))
    expected = rpn.objectness_loss(logits[None], labels[None]).item()
    given = work.mean_cross_entropy(logits, labels).item()
    said = f"for 36 random logits and labels your function gives {given:.4f}, `objectness_loss` {expected:.4f}"
    assert math.isclose(given, expected, rel_tol=1e-4), said


def kept(
    work: Any,
    corners: Sequence[Sequence[float]],
    scores: list[float],
    expected: list[int],
    why: str,
    *,
    threshold: float = 0.5,
) -> None:
    given = [int(i) for i in work.greedy_nms(torch.tensor(corners).float(), torch.tensor(scores), threshold)]
    said = f"for the boxes {corners}, the scores {scores} and a threshold of {threshold} your function keeps {given}"
    assert sorted(given) == sorted(expected), f"{said}; {why}"
    assert given == expected, f"{said}; the right ones, but not best first"


def test_greedy_nms_keeps_the_better_one_of_two(work: Any) -> None:
    pair = [[0, 0, 9, 10], [0, 0, 10, 10], [50, 0, 60, 10]]
    kept(work, pair, [0.8, 0.9, 0.7], [1, 2], "the first two overlap by 0.9, and the better one of them stays")
    kept(work, pair, [0.7, 0.8, 0.9], [2, 1], "boxes may lie in any order: the score says which one is best")


def test_greedy_nms_of_a_chain(work: Any) -> None:
    chain = [[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]]  # IoU 0.43 from one to the next, 0.11 between the ends
    kept(work, chain, [0.9, 0.8, 0.7], [0, 2], "a box that was removed removes nobody", threshold=0.4)
    kept(work, chain, [0.7, 0.9, 0.8], [1], "the best one overlaps both others too much", threshold=0.4)
    kept(work, chain, [0.9, 0.7, 0.8], [0, 2], "the middle one is the worst, and overlaps both others", threshold=0.4)


def test_greedy_nms_at_the_threshold(work: Any) -> None:
    halves = [[0, 0, 10, 10], [0, 0, 10, 5]]
    kept(work, halves, [0.9, 0.8], [0, 1], "a box goes if its IoU is above the threshold; here it is equal")


def test_greedy_nms_of_few_boxes(work: Any) -> None:
    kept(work, [[0, 0, 5, 5]], [0.3], [0], "a single box stays")
    given = work.greedy_nms(torch.zeros(0, 4), torch.zeros(0), 0.5)
    assert list(given) == [], f"without any box your function keeps {given}"


def test_greedy_nms_agrees_with_the_package(work: Any) -> None:
    torch.manual_seed(0)
    for threshold in (0.2, 0.5, 0.7):
        corners = torch.rand(40, 2) * 20
        corners = torch.cat((corners, corners + 8 + torch.rand(40, 2) * 12), 1)
        scores, order = torch.rand(40).sort(descending=True)
        stays = boxes.nms(corners[None], torch.ones(1, 40, dtype=torch.bool), threshold)[0]
        place = torch.empty(40, dtype=torch.int64)
        place[order] = torch.arange(40)  # the best one lies at order[0]
        given = [int(i) for i in work.greedy_nms(corners[place], scores[place], threshold)]
        expected = [int(order[i]) for i in stays.nonzero()[:, 0]]
        said = f"of 40 random boxes, at a threshold of {threshold}, your function keeps {given}"
        assert given == expected, f"{said}; `boxes.nms` keeps {len(expected)}, not the same ones or not best first"
