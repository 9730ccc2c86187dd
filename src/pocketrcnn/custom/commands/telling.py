"""Whether a command says anything, and who hears of evaluations. No torch here."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from os import PathLike
from pathlib import Path

from ...terminal import silent
from ...training.watchers import Callback, calling, watched_by

Place = str | PathLike[str]
"""A path, or a `TrainedRun`."""


def told(quiet: bool) -> AbstractContextManager[None]:
    """A block that says nothing where that is wanted."""
    return silent() if quiet else nullcontext()


def heard(callback: Callback | None) -> AbstractContextManager[None]:
    """A block in which a function hears of every evaluation."""
    return watched_by(calling(callback)) if callback else nullcontext()


def path_of(place: Place | None) -> Path | None:
    """A place as a path, where there is one."""
    return None if place is None else Path(place)
