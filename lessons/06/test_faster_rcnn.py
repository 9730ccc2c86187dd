"""The hidden tests of lesson 6.

What they catch, each tried:

- `stage_shapes`: cells of one row in place of a square; no anchors a cell; P in place of N for the deltas, N in place
  of P for the logits; no background; 3 numbers a delta; no axis for the image; a division that gives floats.
- `detection_scores`: no sigmoid; a sigmoid in place of the softmax; a softmax without the background, so that the
  probabilities of the classes add up to 1; a softmax over the proposals; the background as a detection; the sum in
  place of the product; the first column taken for the background.
- `equal_weights`: the fraction upside down; weights that add up to 1; 1 over the loss; `classification` left out; the
  largest loss in place of `classification`.
- `paired_interval`: n in place of n - 1; no root of n; n - 1 under the root; intervals of both sides apart;
  `first` minus `second`; 1.96 in place of t.
"""

import math
import statistics
from typing import Any

import torch

from pocketrcnn import Detector
from pocketrcnn.course.verdicts import interval, quantile


def as_tuples(given: Any) -> list[tuple[int, ...]]:
    broken = [side for shape in given for side in shape if not isinstance(side, int)]
    assert not broken, f"your function gives {list(given)}; sides are whole numbers, and {broken[0]!r} is none: use //"
    return [tuple(shape) for shape in given]


def shapes(work: Any, settings: tuple[int, ...], expected: list[tuple[int, ...]]) -> None:
    given = as_tuples(work.stage_shapes(*settings))
    words = "side {}, stride {}, {} anchors a cell, {} proposals and {} classes".format(*settings)
    assert len(given) == 3, f"for {words} your function gives {len(given)} shapes; three are asked for"
    reasons = (
        "count the cells of the whole map, and the anchors on each",
        "each anchor has its deltas",
        "each proposal has a logit for every class, and the background is one, too",
    )
    for name, one, right, why in zip(("objectness", "deltas", "logits"), given, expected, reasons, strict=True):
        axes = f"it has {len(one)} axes, and {len(right)} are asked for" if len(one) != len(right) else why
        assert one == right, f"for {words} your function gives {one} for {name}; {axes}"


def test_stage_shapes_of_small_detectors(work: Any) -> None:
    shapes(work, (64, 8, 3, 10, 5), [(1, 192), (1, 192, 4), (1, 10, 6)])
    shapes(work, (48, 8, 1, 7, 2), [(1, 36), (1, 36, 4), (1, 7, 3)])
    shapes(work, (96, 4, 5, 200, 20), [(1, 2880), (1, 2880, 4), (1, 200, 21)])


def test_stage_shapes_of_the_detector_of_nuclei(work: Any) -> None:
    model = Detector.load("nuclei", device="cpu").model
    assert model.rpn is not None, "the detector of nuclei has an RPN"
    config, stride = model.rpn.config, model.backbone.stride
    with torch.no_grad():
        prediction = model(torch.zeros(1, 3, 256, 256, dtype=torch.uint8))
    parts = (prediction.objectness, prediction.deltas, prediction.logits)
    expected = [tuple(part.shape) for part in parts if part is not None]
    shapes(work, (256, stride, len(config.anchors), config.proposals, len(model.rpn.anchors[:1])), expected)


def scores(work: Any, objectness: list[float], logits: list[list[float]]) -> torch.Tensor:
    given = work.detection_scores(torch.tensor(objectness), torch.tensor(logits))
    wanted = (len(objectness), len(logits[0]) - 1)
    what = f"{len(objectness)} proposals, {wanted[1]} classes and the background"
    assert tuple(given.shape) == wanted, f"for {what} your scores have the shape {tuple(given.shape)}, not {wanted}"
    return torch.as_tensor(given)


def rounded(values: torch.Tensor) -> list[float]:
    return [round(value, 3) for value in values.flatten().tolist()]


def test_detection_scores_of_logits_of_zero(work: Any) -> None:
    given = scores(work, [0.0], [[0.0, 0.0, 0.0, 0.0]])
    message = (
        f"where all logits are 0, your scores are {rounded(given)}; an object is as probable as none, and each of "
    )
    assert torch.allclose(given, torch.full((1, 3), 0.125)), message + "the four logits is as probable as the others"


def test_detection_scores_of_a_sure_background(work: Any) -> None:
    given = scores(work, [8.0], [[0.0, 1.0, 20.0]])
    message = f"a proposal is surely background (logits 0, 1 and 20), and your scores are {rounded(given)}"
    assert float(given.max()) < 1e-4, message + ": what the background has is lost to the classes"


def test_detection_scores_of_an_unlikely_object(work: Any) -> None:
    given = scores(work, [-20.0], [[9.0, 0.0, 0.0]])
    message = f"the objectness is -20, hardly any object, and your scores are {rounded(given)}"
    assert float(given.abs().max()) < 1e-4, message + ": both answers have to agree"


def test_detection_scores_of_several_proposals(work: Any) -> None:
    generator = torch.Generator().manual_seed(6)
    objectness, logits = torch.randn(5, generator=generator), torch.randn(5, 4, generator=generator)
    given = scores(work, objectness.tolist(), logits.tolist())
    total = given.sum(1)
    limit = 1 / (1 + (-objectness).exp())
    message = f"a proposal's scores add up to {rounded(total)} where an object has the probability {rounded(limit)}: "
    message += "they stay below it"
    assert bool((total < limit).all()), message
    expected = torch.stack([limit * row for row in (logits.exp() / logits.exp().sum(1, keepdim=True)).T[:3]], 1)
    one = int((given - expected).abs().max(1).values.argmax())
    told = f"for objectness {objectness[one]:.3f} and logits {rounded(logits[one])}"
    assert torch.allclose(given, expected, atol=1e-5), (
        f"{told} (the last one is the background) your scores are {rounded(given[one])}; "
        f"each proposal is on its own, and its logits are turned into probabilities together"
    )


def weights(work: Any, losses: dict[str, float]) -> dict[str, float]:
    given = {name: float(weight) for name, weight in work.equal_weights(dict(losses)).items()}
    assert set(given) == set(losses), f"for the losses {losses} your weights are of {sorted(given)}: one for each loss"
    return given


def test_equal_weights_of_two_losses(work: Any) -> None:
    given = weights(work, {"box": 0.5, "classification": 2.0})
    weighted = f"box is {given['box']:g} x 0.5, classification {given['classification']:g} x 2.0"
    message = f"with the losses box 0.5 and classification 2.0 and your weights, {weighted}; they should be as large"
    assert math.isclose(given["box"] * 0.5, given["classification"] * 2.0, rel_tol=1e-6), message
    assert math.isclose(given["classification"], 1.0), (
        f"the weight of classification is {given['classification']}, not 1"
    )


def test_equal_weights_of_all_losses(work: Any) -> None:
    for losses in (
        {"objectness": 0.71, "box": 0.037, "classification": 2.39},
        {"classification": 0.2, "objectness": 0.8, "box": 0.04, "box_regression": 3.0},
    ):
        given = weights(work, losses)
        weighted = {name: round(given[name] * loss, 6) for name, loss in losses.items()}
        message = f"with the losses {losses} the weighted losses are {weighted}, and differ"
        assert max(weighted.values()) - min(weighted.values()) < 1e-4, message
        weight = given["classification"]
        assert math.isclose(weight, 1.0), f"with the losses {losses} the weight of classification is {weight:g}, not 1"


def ends(work: Any, first: list[float], second: list[float], t: float) -> tuple[float, float]:
    low, high = (float(end) for end in work.paired_interval(list(first), list(second), t))
    what = f"for {first} and {second} with t = {t:.4g} your interval is {low:.4g} to {high:.4g}"
    assert low <= high, f"{what}: the low end comes first"
    mean = statistics.fmean(b - a for a, b in zip(first, second, strict=True))
    middle = f"{what}; its middle is {(low + high) / 2:.4g}, and not the mean of `second` minus `first`"
    assert math.isclose((low + high) / 2, mean, rel_tol=1e-6, abs_tol=1e-9), middle
    return low, high


def test_paired_interval_of_two_seeds(work: Any) -> None:
    low, high = ends(work, [1.0, 2.0], [2.0, 5.0], 2.0)
    message = f"for [1, 2] and [2, 5] with t = 2 your interval is {low:.4g} to {high:.4g}: the differences are 1 and 3"
    apart = any(math.isclose(high - low, 4 * (one / 2) ** 0.5, rel_tol=1e-6) for one in (5.0, 2.5))
    assert not apart, f"{message}; take the spread of the differences, not of each side"
    assert math.isclose(high - low, 4.0, rel_tol=1e-6), f"{message}; the middle is right: which factor is not?"


def test_paired_interval_of_seeds_that_share_their_luck(work: Any) -> None:
    low, high = ends(work, [0.2, 0.6, 0.9], [0.3, 0.7, 1.0], quantile(2))
    message = f"the second is 0.1 better with each of three seeds, and your interval is {low:.3f} to {high:.3f}"
    assert high - low < 1e-6, f"{message}: take the differences before anything else"


def test_paired_interval_of_several_seeds(work: Any) -> None:
    first, second = [0.7148, 0.7086, 0.7105, 0.7011, 0.7299], [0.6303, 0.6313, 0.6262, 0.6402, 0.6377]
    for n in (3, 4, 5):
        t = quantile(n - 1)
        low, high = ends(work, first[:n], second[:n], t)
        expected = interval([b - a for a, b in zip(first[:n], second[:n], strict=True)])
        assert expected[0] is not None, "several seeds have an interval"
        wider = "too wide" if high - low > expected[1] - expected[0] else "too narrow"
        message = f"with {n} seeds and t = {t:.3f} your interval is {low:.4f} to {high:.4f}, which is {wider}"
        assert math.isclose(low, expected[0], rel_tol=1e-6), message
