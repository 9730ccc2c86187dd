"""The form of an evaluation in a file, down to its last number: what reads one relies on it. No torch here.

`average_precision.Evaluation` says what the fields mean. Keys that are not named are free.
"""

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec

from .average_precision import Evaluation
from .tables import ERRORS


class Rates(TypedDict):
    """Detections from a threshold on."""

    threshold: float
    precision: float
    recall: float
    f1: float
    tp: int
    fp: int
    fn: int


class Averages(TypedDict):
    """COCO's averages; None where there are no objects."""

    AP: float | None
    AP50: float | None
    AP75: float | None
    AR: float | None


class Size(Averages):
    """The objects of about one size."""

    name: str
    objects: int


class Thresholds(TypedDict):
    """Curves over the threshold."""

    threshold: list[float]
    precision: list[float]
    recall: list[float]
    f1: list[float]


class OneClass(Averages):
    """The objects of a class."""

    name: str
    objects: int
    images: int
    best: Rates | None
    thresholds: Thresholds | None


class Counts(TypedDict):
    """What was evaluated."""

    images: int
    objects: int
    detections: int


class Curves(TypedDict):
    """Precision over recall."""

    recall: list[float]
    overall: list[float] | None
    classes: list[list[float] | None]


class Tide(TypedDict):
    """What each kind of error costs."""

    AP50: float
    gain: dict[str, float]
    errors: dict[str, int]


class Confusion(TypedDict):
    """The confusion matrix."""

    names: list[str]
    matrix: list[list[int]]
    threshold: float


class Image(TypedDict):
    """The detections in an image."""

    image: int
    name: str
    tp: int
    fp: int
    fn: int
    f1: float


@dataclass(frozen=True)
class Form:
    """Types and lengths of an evaluation. Raises ValueError for lengths that do not fit each other."""

    data: str
    split: str
    overall: Averages
    sizes: list[Size]
    classes: list[OneClass]
    max_detections: int
    counts: Counts
    precision_recall: Curves
    best: Rates | None
    used: Rates | None
    tide: Tide | None
    confusion: Confusion
    images: list[Image]
    thresholds: Thresholds | None = None

    def __post_init__(self) -> None:
        names, matrix, curves = self.confusion["names"], self.confusion["matrix"], self.precision_recall
        require_length(len(self.classes) + 1, names, matrix, *matrix)
        require_length(len(self.classes), curves["classes"])
        require_length(len(curves["recall"]), *filter(None, (curves["overall"], *curves["classes"])))
        for known in filter(None, (self.thresholds, *(one["thresholds"] for one in self.classes))):
            require_length(len(known["threshold"]), known["precision"], known["recall"], known["f1"])
        if self.tide and not set(ERRORS) <= set(self.tide["gain"]):
            raise ValueError("a kind of error has no gain")


def require_length(length: int, *lists: Sized) -> None:
    """Raises ValueError where one of the lists has another length."""
    if any(len(one) != length for one in lists):
        raise ValueError("lists have lengths that do not fit each other")


def evaluation_of(content: Any) -> Evaluation:
    """An evaluation from plain types. Raises msgspec.ValidationError where they are not of its form."""
    msgspec.convert(content, Form)
    return msgspec.convert(content, Evaluation)
