"""Two pieces of work timed in turn, so that a busy neighbour slows both."""

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

WARM_UP = 3
Clock = Callable[[], float]
OWN_TIME: Clock = time.perf_counter if os.name == "nt" else time.thread_time
"""The processor's time of this thread, to which what else runs on a machine adds little. Windows counts it by ticks of
16 ms."""


def seconds(work: Callable[[], Any], clock: Clock = time.perf_counter) -> float:
    """How long a function takes."""
    begun = clock()
    work()
    return clock() - begun


def alternate(
    first: Callable[[], Any], second: Callable[[], Any], rounds: int, clock: Clock = time.perf_counter
) -> tuple[float, float]:
    """Median seconds of two functions called in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(WARM_UP + rounds):
        for function, kept in zip((first, second), times, strict=True):
            taken = seconds(function, clock)
            if number >= WARM_UP:
                kept.append(taken)
    return statistics.median(times[0]), statistics.median(times[1])
