"""Values as dots on one axis: where each stands, and the numbers below. No script: a dot shows its text by itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .blocks import Dot, DotRow
from .charts import rounded_ticks, ticks

CLOSE = 0.032  # of the axis: two dots that are nearer stand one above the other; on a phone a dot is as wide
MARGIN = 0.05
WIDE = 50  # how many times the smallest value is the largest one, where the axis of positive numbers is logarithmic


@dataclass(frozen=True)
class Axis:
    """From the smallest of some values to the largest, as places 0..1 with a margin. log: powers of 10 are equally
    far apart."""

    low: float
    high: float
    log: bool

    @staticmethod
    def of(values: Sequence[float], may_be_log: bool = False) -> "Axis":
        """An axis with room for all these values."""
        low, high = min(values), max(values)
        if may_be_log and low > 0 and high > WIDE * low:
            return Axis(math.log10(low), math.log10(high), True)
        room = 0.0 if high > low else abs(high) * MARGIN or 1.0  # a single value stands in the middle
        return Axis(low - room, high + room, False)

    def place(self, value: float) -> float:
        """Where a value stands, 0..1; what is outside stands at the end."""
        if self.log:
            value = math.log10(value) if value > 0 else self.low
        share = (value - self.low) / (self.high - self.low)
        return min(max(MARGIN + (1 - 2 * MARGIN) * share, 0.0), 1.0)

    def ticks(self, unit: str) -> list[tuple[float, str]]:
        """Places and numbers below the axis. unit: empty, or `%`, for values in percent."""
        if self.log:
            return [
                (self.place(10.0**n), f"{10.0**n:g}") for n in range(math.ceil(self.low), math.floor(self.high) + 1)
            ]
        room = MARGIN * (self.high - self.low)
        found = [v for v in rounded_ticks(self.low, self.high) if self.low - room <= v <= self.high + room]
        return [(self.place(value), ticks(unit)(value)) for value in found]


def levels(places: Sequence[float]) -> list[int]:
    """The level of each dot, from 0 up: the lowest at which none of the dots before is too near."""
    ends: list[float] = []  # by level, the place of its last dot
    found = [0] * len(places)
    for i in sorted(range(len(places)), key=lambda i: places[i]):
        level = next((n for n, end in enumerate(ends) if places[i] - end >= CLOSE), len(ends))
        ends[level:] = [places[i], *ends[level + 1 :]]
        found[i] = level
    return found


def dot_row(
    name: str, values: Sequence[tuple[str, float]], axis: Axis, picked: str = "", deviation: float = 0
) -> DotRow:
    """Named values on an axis, with their mean, and the band of so much around it. picked: the text that stands out."""
    places = [axis.place(value) for _, value in values]
    mean = sum(value for _, value in values) / len(values)
    band = (axis.place(mean - deviation), axis.place(mean + deviation)) if deviation else None
    dots = [
        Dot(place, level, text, text == picked)
        for place, level, (text, _) in zip(places, levels(places), values, strict=True)
    ]
    return DotRow(name, dots, axis.place(mean), band)
