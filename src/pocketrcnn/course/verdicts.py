"""Whether runs confirm a claim: the differences of two arms, seed by seed, and their 95 % confidence interval.

The rule was fixed before the runs. A comparison is confirmed where the interval lies wholly on the claimed side of its
margin, refuted where it lies wholly on the other, and undecided otherwise or with fewer than three seeds.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from .observations import Comparison, Quantity

Verdict = Literal["confirmed", "refuted", "undecided", "not measured"]
Values = Mapping[int, float]
"""A quantity by seed."""

FEWEST = 3  # seeds of a verdict
# Student's t: 97.5 % quantiles for 1, 2, .. degrees of freedom; beyond the last one, that of the normal distribution
# with the first terms of its expansion (Abramowitz and Stegun, 26.7.5).
T = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)


def quantile(degrees: int) -> float:
    """The factor on the standard error of a 95 % interval, for a number of degrees of freedom from 1."""
    if degrees <= len(T):
        return T[degrees - 1]
    z = statistics.NormalDist().inv_cdf(0.975)
    terms = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96, (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + sum((term / degrees**power for power, term in enumerate(terms, 1)), 0.0)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a comparison. The differences are left minus right, with their factors, one a seed.

    low and high: their 95 % confidence interval; None with fewer than two seeds.
    """

    left: Quantity
    direction: Literal["higher", "lower"]
    right: Quantity
    margin: float
    beside: bool
    seeds: Sequence[int]
    lefts: Sequence[float]
    """The left quantity, without its factor, seed by seed."""
    rights: Sequence[float]
    differences: Sequence[float]
    mean: float | None
    low: float | None
    high: float | None
    verdict: Verdict

    @property
    def n(self) -> int:
        """Seeds that both sides have."""
        return len(self.seeds)


def compare(comparison: Comparison, values: Callable[[Quantity], Values]) -> Outcome:
    """Both sides on the seeds that they share. `values`: a quantity by seed, without its factor."""
    left, right = comparison.left, comparison.right
    lefts, rights = values(left), values(right)
    seeds = sorted(lefts.keys() & rights.keys())
    differences = [left.factor * lefts[seed] - right.factor * rights[seed] for seed in seeds]
    low, high = interval(differences)
    return Outcome(
        left=left,
        direction=comparison.direction,
        right=right,
        margin=comparison.margin,
        beside=comparison.beside,
        seeds=seeds,
        lefts=[lefts[seed] for seed in seeds],
        rights=[rights[seed] for seed in seeds],
        differences=differences,
        mean=statistics.fmean(differences) if seeds else None,
        low=low,
        high=high,
        verdict=verdict(comparison, low, high, len(seeds)),
    )


def interval(values: Sequence[float]) -> tuple[float, float] | tuple[None, None]:
    """The 95 % confidence interval of a mean (Student's t); None for fewer than two values."""
    if len(values) < 2:
        return None, None
    mean, error = statistics.fmean(values), statistics.stdev(values) / len(values) ** 0.5
    half = quantile(len(values) - 1) * error
    return mean - half, mean + half


def verdict(comparison: Comparison, low: float | None, high: float | None, n: int) -> Verdict:
    """The rule for one comparison, from the interval of left minus right."""
    if not n:
        return "not measured"
    if n < FEWEST or low is None or high is None:
        return "undecided"
    if comparison.direction == "lower":  # right minus left is claimed to be above the margin
        low, high = -high, -low
    return "confirmed" if low > comparison.margin else "refuted" if high < comparison.margin else "undecided"


def overall(outcomes: Sequence[Outcome]) -> Verdict:
    """The verdict on a claim: refuted with any of its comparisons, confirmed with all, undecided otherwise."""
    verdicts = {one.verdict for one in outcomes if not one.beside} - {"not measured"}
    for certain in ("refuted", "undecided", "confirmed"):
        if certain in verdicts:
            return certain
    return "not measured"
