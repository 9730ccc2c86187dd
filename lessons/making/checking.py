"""`check`: the hidden tests of one function, run by pytest in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from . import cells, work
from .messages import Outcome

QUIETLY = ("-o", "addopts=", "--import-mode=importlib", "--assert=plain", "--capture=sys")
WITHOUT = ("terminal", "faulthandler", "cacheprovider")  # plugins that print, or need a real standard error


class Given:
    """A plugin: tests get this function as `work`, only those about it are run, and their outcomes are kept."""

    def __init__(self, function: Callable[..., Any], names: list[str]) -> None:
        self.work, self.name, self.names = work.of_function(function), function.__name__, names
        self.outcomes: list[Outcome] = []
        self.tests = 0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Only the tests of the function."""
        items[:] = [item for item in items if cells.exercise_of(plain(item), self.names) == self.name]
        self.tests = len(items)


def plain(item: pytest.Item) -> str:
    """The name of a test, without the values of its parameters."""
    return str(getattr(item, "originalname", None) or item.name)


def verdict(function: Callable[..., Any]) -> str:
    """One line: not written yet, what differs, or right."""
    name = getattr(function, "__name__", repr(function))
    lesson = next((path for path in cells.lessons() if name in cells.exercises(path)), None)
    if lesson is None:
        return f"`{name}` is not the name of an exercise: keep the names of the lesson"
    given = Given(function, cells.exercises(lesson))
    folder = cells.folder_of(lesson)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        without = [word for name in WITHOUT for word in ("-p", f"no:{name}")]
        status = pytest.main(
            ["-c", str(cells.LESSONS / "pytest.ini"), str(folder), *QUIETLY, *without], plugins=[given]
        )
    finally:
        sys.dont_write_bytecode = before
    wrong = next((outcome for outcome in given.outcomes if outcome.state != "right"), None)
    if wrong:
        return f"{name}: {wrong.message}"
    if status in (2, 3) or len(given.outcomes) < given.tests:
        return f"{name}: its tests broke off (pytest ended with {int(status)}), so that nothing is known about it"
    if not given.outcomes:
        return f"{name}: its tests were not found in {folder}"
    return f"{name}: right, by {len(given.outcomes)} test{'s' if len(given.outcomes) > 1 else ''}"
