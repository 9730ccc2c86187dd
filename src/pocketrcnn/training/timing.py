"""Two pieces of work timed in turn, so that a busy neighbour slows both."""

import statistics
import time
from collections.abc import Callable
from typing import Any

WARM_UP = 3


def seconds(work: Callable[[], Any]) -> float:
    """How long a function takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def alternate(first: Callable[[], Any], second: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Median seconds of two functions called in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + rounds):
        for function, kept in zip((first, second), times, strict=True):
            taken = seconds(function)
            if number >= WARM_UP:
                kept.append(taken)
    return statistics.median(times[0]), statistics.median(times[1])
