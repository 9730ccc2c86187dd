"""Numbers as the page shows them, and words that follow from numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SPLITS = {"train": "training", "val": "validation", "test": "test"}
NBSP = "\N{NO-BREAK SPACE}"
SAME = 0.02  # ratios nearer to 1 than this are called equal


@dataclass(frozen=True)
class Stat:
    """A metric over n seeds: mean, standard deviation, the single values."""

    n: int
    mean: float
    std: float
    values: Sequence[float]


def in_order(splits: Iterable[str]) -> list[str]:
    """Training, validation, test: those that are there, however a file sorts them."""
    return [name for name in SPLITS if name in set(splits)]


def percent(value: float, decimals: int = 2) -> str:
    """0.7012 -> `70.12 %`, on one line."""
    return f"{100 * value:.{decimals}f}{NBSP}%"


def fixed(value: float, decimals: int) -> str:
    """0.70123, 2 -> `0.70`."""
    return f"{value:.{decimals}f}"


def digits(value: float, n: int = 6) -> str:
    """At most n digits, without zeros at the end: 50.0 -> `50`."""
    return f"{value:.{n}g}"


def count(value: float) -> str:
    """46497792 -> `46,497,792`."""
    return f"{round(value):,}"


def millions(value: float) -> str:
    """46497792 -> `46.5 million`."""
    return f"{value / 1e6:.1f} million"


def spread_seconds(stat: Stat) -> str:
    """Mean and standard deviation in seconds: `75.2 ± 0.4 s`."""
    return f"{spread(stat, 1, 1)}{NBSP}s"


def duration(value: float) -> str:
    """640 -> `10 min 40 s`, 7500 -> `2 h 5 min`."""
    whole = round(value)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def spread(stat: Stat, factor: float, decimals: int) -> str:
    """Mean and standard deviation of a metric times a factor: `75.2 ± 0.4`; one value has no deviation."""
    mean = f"{factor * stat.mean:.{decimals}f}"
    return mean if stat.n < 2 else f"{mean} ±{NBSP}{factor * stat.std:.{decimals}f}"


def ratio(a: float, b: float) -> str:
    """How many times the larger is the smaller, in two or three digits: `6.8`, `12`."""
    times = max(a, b) / min(a, b)
    return f"{times:.2f}" if times < 2 else f"{times:.1f}" if times < 10 else f"{times:.0f}"


def compare(a: float, b: float, more: str, less: str, same: str) -> str:
    """`3.1 times MORE`, `3.1 times LESS` or SAME, as a is to b (both above 0)."""
    if abs(a / b - 1) < SAME:
        return same
    return f"{ratio(a, b)} times {more if a > b else less}"


def as_long(a: float, b: float) -> str:
    """`3.1 times as long`, also for less than one."""
    return "as long" if abs(a / b - 1) < SAME else f"{a / b:.{1 if a > 2 * b else 2}f} times as long"


def points(a: float, b: float) -> str:
    """The difference of two fractions: `5.6 points above`, `5.6 points below`, `level with`."""
    difference = round(100 * (a - b), 1)
    if difference == 0:
        return "level with"
    return f"{abs(difference):.1f} {plural(abs(difference), 'point')} {'above' if difference > 0 else 'below'}"


def apart(better: str, a: Stat, other: str, b: Stat) -> str:
    """Whether every run of the one is better than every run of the other; a is the one with the larger mean."""
    if min(a.n, b.n) < 2:
        return "with a single run, chance cannot be distinguished from a real difference"
    if min(a.values) > max(b.values):
        return f"every seed of {better} is above every seed of {other}"
    return f"the seeds of {better} and {other} overlap, and their order may be chance"


def plural(value: float, word: str) -> str:
    """`seed` or `seeds`, `class` or `classes`, `box` or `boxes`."""
    return word if value == 1 else word + ("es" if word.endswith(("s", "x")) else "s")


def several(value: int, word: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{value} {plural(value, word)}"


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([*[", ".join(parts[:-1])][: len(parts) > 1], *parts[-1:]])


def sentence(text: str) -> str:
    """The first letter large."""
    return text[:1].upper() + text[1:]


def machine(hardware: Mapping[str, Any]) -> str:
    """One line: processor, cores, memory, device, precision."""
    threads, memory = several(hardware["threads"], "thread"), hardware.get("memory_gb")
    room = f", {memory:.1f} GB of memory" if memory else ""
    device = hardware.get("device", "cpu").replace("cpu", "CPU")
    return (
        f"{hardware['processor']}, {several(hardware['cores'], 'core')} ({threads} used){room}; trained on "
        f"{device} in {hardware['precision']}"
    )
