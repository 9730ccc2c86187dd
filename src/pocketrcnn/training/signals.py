"""Ctrl-C and SIGTERM, noted in place of dying from them, so that the state can be saved first."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM arrived `where`; what was done is kept. remedy: how training goes on from the saved state."""

    def __init__(self, where: str, number: int, remedy: str = "") -> None:
        super().__init__(f"interrupted {where}" + (f", state saved; {remedy}" if remedy else ""))
        self.where = where
        self.code = 128 + number
        """The exit code that shells expect after this signal."""


@contextmanager
def signals_noted() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM in a list in place of dying from them, so that the state can be saved first."""
    noted: list[int] = []
    kept = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            kept[number] = signal.signal(number, lambda n, _: noted.append(n))
    except ValueError:
        pass  # not the main thread: another thread handles signals
    try:
        yield noted
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
