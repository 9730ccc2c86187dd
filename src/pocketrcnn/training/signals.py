"""Ctrl-C and SIGTERM, noted in place of dying from them, so that the state can be saved first.

And Ctrl-C where Python loses it: at any moment, as in the callback of a weak reference, it is an exception that Python
can only print there, and the program would go on.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM arrived `where`; what was done is kept. remedy: how training goes on from the saved state."""

    def __init__(self, where: str, number: int, remedy: str = "") -> None:
        super().__init__(f"interrupted {where}" + (f", state saved; {remedy}" if remedy else ""))
        self.where = where
        self.code = 128 + number
        """The exit code that shells expect after this signal."""


@contextmanager
def signals_noted(noted: list[int] | None = None) -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM in a list in place of dying from them, so that the state can be saved first."""
    noted = [] if noted is None else noted
    with handled_by(lambda number, _: noted.append(number)):
        yield noted


@contextmanager
def ended_by_signals(noted: list[int]) -> Iterator[None]:
    """Work that takes long and can be given up, within `signals_noted`: a signal is noted and ends it at once."""

    def end(number: int, _: object) -> None:
        noted.append(number)
        raise KeyboardInterrupt

    try:
        with handled_by(end):
            yield
    except KeyboardInterrupt:
        if not noted:  # another one
            raise


@contextmanager
def handled_by(handler: Callable[[int, Any], object]) -> Iterator[None]:
    """Ctrl-C and SIGTERM go to a function. In another than the main thread nothing changes, which handles signals."""
    kept = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            kept[number] = signal.signal(number, handler)
    except ValueError:
        pass
    try:
        yield
    finally:
        for number, before in kept.items():
            signal.signal(number, before)


LATER = 0.01  # seconds: not in the function that is told of the lost one


@contextmanager
def interrupts_repeated() -> Iterator[None]:
    """Where Ctrl-C arrives at a moment at which Python can only print it, it comes once more."""
    before = sys.unraisablehook

    def repeat(lost: sys.UnraisableHookArgs) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            threading.Timer(LATER, _thread.interrupt_main).start()
        else:
            before(lost)

    sys.unraisablehook = repeat
    try:
        yield
    finally:
        sys.unraisablehook = before
