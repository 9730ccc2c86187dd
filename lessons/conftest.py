"""The hidden tests of a lesson: `pytest lessons/03`. Each gets the fixture `work`, with the functions of the student.

By default `work` is what is in the lesson: its `.py` or its notebook, whichever has more of the exercises; where both
have the same number, the one that was changed last.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

LESSONS = Path(__file__).parent
NEEDS = "`pip install '.[lessons]'` in a clone of the project"
MISSING = [name for name in ("pocketrcnn", "jupytext") if find_spec(name) is None]
MARKS = {"right": "+", "not written": ".", "wrong": "-", "error": "-", "endless": "-"}
outcomes = pytest.StashKey[list[dict[str, str]]]()
tested = pytest.StashKey[str]()

if not MISSING:
    from making import cells, messages
    from making import work as student
    from making.checking import Given, plain


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lessons")
    group.addoption("--work", type=Path, metavar="FILE", help="a student's .py or .ipynb, in place of the lesson")
    group.addoption("--solutions", action="store_true", help="test the solutions")
    group.addoption("--outcomes", type=Path, metavar="FILE", help="write how each test ended, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    if MISSING:
        raise pytest.UsageError(f"the tests of the lessons need {' and '.join(MISSING)}, not installed here: {NEEDS}")
    config.stash[outcomes] = []


def lesson_of(path: Path) -> Path:
    """The lesson that a hidden test belongs to."""
    return cells.find(path.parent.name)


def exercise_of(item: pytest.Item) -> str:
    """The name of the function that a hidden test is about."""
    return cells.exercise_of(plain(item), cells.exercises(lesson_of(item.path))) or plain(item)


def file_of(config: pytest.Config, lesson: Path) -> Path:
    """The file whose functions are tested."""
    given: Path | None = config.getoption("--work")
    if given is not None:
        return given if given.is_absolute() else config.invocation_params.dir / given
    if config.getoption("--solutions"):
        return LESSONS / "solutions" / lesson.name
    both = [path for path in (lesson, lesson.with_suffix(".ipynb")) if path.is_file()]
    return min(both, key=lambda path: (cells.gaps(path), -path.stat().st_mtime))


@pytest.fixture(scope="module")
def work(request: pytest.FixtureRequest) -> Any:
    """The student's functions: `work.area_of_overlap(a, b)`."""
    given = given_in(request.config)
    if given is not None:
        return given.work
    from pocketrcnn.errors import UserError

    try:
        file = file_of(request.config, lesson_of(request.path))
        request.config.stash[tested] = str(file)
        with messages.limited():
            return student.of_file(file)
    except UserError as error:
        pytest.exit(str(error), 2)


def given_in(config: pytest.Config) -> Given | None:
    """What `check` gave."""
    return next((plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, Given)), None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    if "work" not in getattr(item, "fixturenames", ()):
        return (yield)
    ended = item.config.stash[outcomes]
    if any(one["state"] == "endless" and one["exercise"] == exercise_of(item) for one in ended):
        raise messages.TooLong  # one test has waited for it
    with messages.limited():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Short messages in place of tracebacks, for the tests of a student's work."""
    report = yield
    if "work" not in getattr(item, "fixturenames", ()) or (call.when != "call" and not call.excinfo):
        return report
    name = exercise_of(item)
    ended = messages.Outcome("right")
    if call.excinfo:
        ended = messages.outcome(call.excinfo.value, name, getattr(item, "funcargs", {}).get("work"))
        report.longrepr = ended.message
    keep(item, name, ended)
    return report


def keep(item: pytest.Item, exercise: str, ended: messages.Outcome) -> None:
    """Note how a test ended, for the summary, for `--outcomes` and for `check`."""
    item.config.stash[outcomes].append({"test": item.nodeid, "exercise": exercise, **ended._asdict()})
    if given := given_in(item.config):
        given.outcomes.append(ended)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tests that were to run and did not, since something ended the run before, are no right answers."""
    ended = {one["test"] for one in session.config.stash[outcomes]}
    unknown = messages.Outcome("error", "not all of its tests ran: nothing is known about it")
    for item in getattr(session, "items", []):
        if ended and item.nodeid not in ended and "work" in getattr(item, "fixturenames", ()):
            keep(item, exercise_of(item), unknown)
    file: Path | None = session.config.getoption("--outcomes")
    if file is not None:
        file.write_text(json.dumps(session.config.stash[outcomes]), encoding="utf-8")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """A line for each exercise: + right, . not written yet, - to be looked at."""
    found: dict[str, dict[str, str]] = {}
    for one in config.stash.get(outcomes, []):
        if found.setdefault(one["exercise"], one)["state"] == "right":
            found[one["exercise"]] = one
    if found and tested in config.stash:
        terminalreporter.write_line(f"\n{config.stash[tested]}")
    for name, one in found.items():
        terminalreporter.write_line(f"  {MARKS[one['state']]} {name}: {one['message'] or 'right'}")
