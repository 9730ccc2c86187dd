"""One sentence on each observation, computed from its runs."""

import statistics
from collections.abc import Callable, Mapping

from ...report import phrases
from ...report.prose import Prose
from .measures import MEASURES, TIMES
from .records import Observed

prose = Prose(__name__, "observations.md")


def explanation(one: Observed) -> str:
    """Why the verdict is what it is; nothing where no run says."""
    return EXPLAINED[one.id](one) if all(arm.measures for arm in one.arms.values()) else ""


def mean(one: Observed, arm: str, measure: str) -> float:
    """The mean of a measure over the seeds."""
    return statistics.fmean(one.arms[arm].measures[measure])


def pace(one: Observed) -> str:
    """A1: iterations to nine tenths of the way."""
    at = {name: mean(one, "F2", name) for name in MEASURES if name.startswith("ninety_")}
    return prose("pace", at={name.removeprefix("ninety_"): iteration for name, iteration in at.items()})


def alternating(one: Observed) -> str:
    """A2: what alternating training gains or loses."""
    points = phrases.points(mean(one, "alternating", "accuracy"), mean(one, "F2", "accuracy"))
    overlap = mean(one, "alternating", "mean_iou") - mean(one, "F2", "mean_iou")
    return prose("alternating", points=points, overlap=overlap)


def ranking(one: Observed) -> str:
    """A3, A4: the arms by accuracy, best first."""
    ranked = sorted(one.arms, key=lambda arm: -mean(one, arm, "accuracy"))
    listed = [f"{one.arms[arm].words} ({phrases.percent(mean(one, arm, 'accuracy'), 1)})" for arm in ranked]
    return prose("ranked", arms=listed)


def overfitting(one: Observed) -> str:
    """A5: the gaps, and what each kind of regularisation changes."""
    gaps = {
        one.arms[arm].words: mean(one, arm, "training_accuracy") - mean(one, arm, "accuracy")
        for arm in ("F2", "F3", "F4")
    }
    base = mean(one, "F2", "accuracy")
    gains = {arm.words: mean(one, name, "accuracy") - base for name, arm in one.arms.items() if arm.settings}
    return prose("overfitting", gaps=gaps, gains=dict(sorted(gains.items(), key=lambda gain: -gain[1])))


def bases(one: Observed) -> str:
    """A6: in how many seeds the order is the claimed one."""

    def seeds(*arms: str) -> int:
        values = [one.arms[arm].measures["accuracy"] for arm in arms]
        return sum(list(row) == sorted(row, reverse=True) for row in zip(*values, strict=True))

    return prose("bases", n=one.seeds, classifiers=seeds("B3", "B1", "B2"), detectors=seeds("F4", "F2", "F3"))


def times(one: Observed) -> str:
    """A7: the MobileNet's time and multiplications as parts of the ConvNet's."""
    measured = one.arms["B1"].measures
    ratios = {name: mean(one, "B2", name) / mean(one, "B1", name) for name in TIMES if name in measured}
    work = one.arms["B2"].multiplications / one.arms["B1"].multiplications
    return prose("mobilenet", work=work, ratios=ratios, words={name: MEASURES[name].words for name in ratios})


EXPLAINED: Mapping[str, Callable[[Observed], str]] = {
    "A1": pace,
    "A2": alternating,
    "A3": ranking,
    "A4": ranking,
    "A5": overfitting,
    "A6": bases,
    "A7": times,
}
