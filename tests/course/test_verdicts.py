"""The rule that decides a claim: confirmed, refuted or undecided, from differences seed by seed."""

import random
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pocketrcnn.course.observations import Comparison, Quantity
from pocketrcnn.course.verdicts import Outcome, compare, interval, overall, quantile

LEFT, RIGHT = Quantity("left", "accuracy"), Quantity("right", "accuracy")


def decide(
    left: Sequence[float],
    right: Sequence[float],
    direction: str = "higher",
    *,
    margin: float = 0.0,
    factor: float = 1.0,
    beside: bool = False,
) -> Outcome:
    """The outcome of a comparison on made-up values, one a seed."""
    comparison = Comparison(LEFT, direction, Quantity("right", "accuracy", factor), margin, beside)  # type: ignore[arg-type]
    values = {"left": left, "right": right}
    return compare(comparison, lambda side: dict(enumerate(values[side.arm])))


def test_a_known_effect_is_confirmed_and_its_opposite_refuted() -> None:
    """A false claim put in is refuted, not left open."""
    better, worse = [0.70, 0.71, 0.69], [0.60, 0.62, 0.59]
    assert decide(better, worse).verdict == "confirmed"
    assert decide(worse, better).verdict == "refuted"
    assert decide(better, worse, "lower").verdict == "refuted"
    assert decide(worse, better, "lower").verdict == "confirmed"


def test_no_effect_is_undecided() -> None:
    assert decide([0.60, 0.62, 0.61], [0.61, 0.60, 0.62]).verdict == "undecided"


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_decide_nothing(seeds: int) -> None:
    made = decide([0.7, 0.71][:seeds], [0.1, 0.11][:seeds])
    assert (made.verdict, made.n) == ("undecided", seeds)


def test_what_was_not_measured_says_so() -> None:
    made = decide([], [0.1, 0.2, 0.3])
    assert (made.verdict, made.n, made.mean, made.low) == ("not measured", 0, None, None)


def test_no_better_is_confirmed_inside_its_margin_and_refuted_beyond() -> None:
    """Not better by a point: the same, or a little better for certain, confirms it; three points better refutes it."""
    base = [0.600, 0.610, 0.605]
    for gain, verdict in ((0.0, "confirmed"), (-0.05, "confirmed"), (0.005, "confirmed"), (0.03, "refuted")):
        noisy = [value + gain + noise for value, noise in zip(base, (0.001, -0.001, 0.0), strict=True)]
        assert decide(noisy, base, "lower", margin=-0.01).verdict == verdict
    assert decide([0.58, 0.63, 0.62], base, "lower", margin=-0.01).verdict == "undecided"


def test_a_margin_asks_for_a_difference_of_that_size() -> None:
    assert decide([0.75, 0.76, 0.74], [0.60, 0.60, 0.60], margin=0.1).verdict == "confirmed"
    assert decide([0.65, 0.66, 0.64], [0.60, 0.60, 0.60], margin=0.1).verdict == "refuted"


def test_a_factor_asks_for_a_ratio() -> None:
    """Less than half the time."""
    assert decide([40, 41, 39], [100, 101, 99], "lower", factor=0.5).verdict == "confirmed"
    assert decide([60, 61, 59], [100, 101, 99], "lower", factor=0.5).verdict == "refuted"


def test_differences_are_taken_seed_by_seed() -> None:
    """Seeds that differ much leave a small difference certain where both arms share them; others do not count."""
    right = {0: 0.5, 1: 0.7, 2: 0.6, 5: 0.1}
    left = {seed: value + 0.01 for seed, value in right.items()} | {7: 0.9}
    del left[5]
    made = compare(Comparison(LEFT, "higher", RIGHT), lambda side: left if side.arm == "left" else right)
    assert (made.seeds, made.verdict) == ([0, 1, 2], "confirmed")
    assert made.differences == pytest.approx([0.01] * 3)


def test_the_interval_is_that_of_student() -> None:
    """Textbook values: 2, 4, 6 have mean 4, deviation 2, and t = 4.303 with two degrees of freedom."""
    low, high = interval([2.0, 4.0, 6.0])
    assert (low, high) == pytest.approx((4 - 4.3027 * 2 / 3**0.5, 4 + 4.3027 * 2 / 3**0.5), abs=1e-3)
    assert interval([1.0]) == (None, None)


@pytest.mark.parametrize(
    ("degrees", "value"), [(1, 12.706), (2, 4.303), (4, 2.776), (11, 2.201), (29, 2.045), (200, 1.972)]
)
def test_quantiles_are_those_of_the_tables(degrees: int, value: float) -> None:
    assert quantile(degrees) == pytest.approx(value, abs=2e-3)


def test_the_interval_covers_the_truth_in_95_of_100_cases() -> None:
    chance = random.Random(0)
    samples = [[chance.gauss(1.0, 2.0) for _ in range(5)] for _ in range(2000)]
    covered = [low <= 1.0 <= high for low, high in map(interval, samples) if low is not None and high is not None]
    assert statistics.fmean(covered) == pytest.approx(0.95, abs=0.015)


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=6), st.lists(st.floats(-1, 1), min_size=3, max_size=6))
def test_a_claim_and_its_opposite_are_never_both_confirmed(left: list[float], right: list[float]) -> None:
    seeds = min(len(left), len(right))
    pair = {decide(left[:seeds], right[:seeds], direction).verdict for direction in ("higher", "lower")}
    assert pair in ({"confirmed", "refuted"}, {"undecided"})


def test_a_claim_stands_with_all_of_its_comparisons() -> None:
    up, down, flat = decide([0.7, 0.71, 0.69], [0.1] * 3), decide([0.1] * 3, [0.7, 0.71, 0.69]), decide([0.1], [0.2])
    missing = decide([], [])
    assert overall([up, up]) == "confirmed"
    assert overall([up, flat]) == "undecided"
    assert overall([up, flat, down]) == "refuted"
    assert overall([up, missing]) == "confirmed"
    assert overall([missing]) == "not measured"


def test_what_stands_beside_a_claim_does_not_decide_it() -> None:
    beside = decide([0.1] * 3, [0.7, 0.71, 0.69], beside=True)
    assert (beside.verdict, overall([decide([0.7, 0.71, 0.69], [0.1] * 3), beside])) == ("refuted", "confirmed")
