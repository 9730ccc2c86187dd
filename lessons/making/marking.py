"""The hidden tests of students' files, each file in a process of its own with a limit of time: it is foreign code.

It runs with the rights of whoever marks: it can read and write what they can. Mark on an account that has nothing else.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pocketrcnn.data.files import open_atomically
from pocketrcnn.errors import UserError

from . import cells
from .messages import State

SECONDS = 120  # for all exercises of a file
WORDS: dict[State, str] = {
    "right": "right",
    "not written": "not written",
    "wrong": "wrong",
    "error": "fails",
    "endless": "endless",
}


@dataclass(frozen=True)
class Mark:
    """How far an exercise is: the first test that does not pass decides."""

    state: State
    message: str
    passed: int
    tests: int


@dataclass(frozen=True)
class Marked:
    """One file of one student: the marks by exercise, in the lesson's order."""

    student: str
    lesson: Path
    marks: dict[str, Mark]

    @property
    def right(self) -> int:
        """The number of exercises that are right."""
        return sum(mark.state == "right" for mark in self.marks.values())


def mark(file: Path, lesson: Path, student: str = "", seconds: float = SECONDS) -> Marked:
    """Run the hidden tests of a lesson on a file; whatever it does, the others can still be marked."""
    names = cells.exercises(lesson)
    with tempfile.TemporaryDirectory() as empty:
        out = Path(empty) / "outcomes.json"
        tests, ini = str(cells.folder_of(lesson)), str(cells.LESSONS / "pytest.ini")
        options = ["--work", str(file.resolve()), "--outcomes", str(out), "-p", "no:faulthandler"]
        said, code = within(seconds, [sys.executable, "-m", "pytest", "-c", ini, tests, *options], Path(empty))
        if code is None:
            return Marked(student, lesson, dict.fromkeys(names, Mark("endless", f"not done after {seconds:g} s", 0, 0)))
        if code not in (0, 1) or not out.is_file():
            lines = said.strip().splitlines() or [f"it ends the tests with code {code}"]
            return Marked(
                student, lesson, dict.fromkeys(names, Mark("error", f"cannot be tested: {lines[0].strip('! ')}", 0, 0))
            )
        outcomes = json.loads(out.read_text(encoding="utf-8"))
    return Marked(student, lesson, {name: summed(outcomes, name) for name in names})


def summed(outcomes: Sequence[dict[str, str]], name: str) -> Mark:
    """The mark of an exercise from the outcomes of its tests."""
    mine = [one for one in outcomes if one["exercise"] == name]
    if not mine:
        return Mark("error", "its tests did not run", 0, 0)
    bad = [one for one in mine if one["state"] != "right"]
    state = bad[0]["state"] if bad else "right"
    known = next(word for word in WORDS if word == state)
    return Mark(known, bad[0]["message"] if bad else "", len(mine) - len(bad), len(mine))


def within(seconds: float, command: list[str], folder: Path) -> tuple[str, int | None]:
    """Run a command in a folder: what it says and its exit code, None after so many seconds; its children end, too."""
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONDONTWRITEBYTECODE": "1"}
    environment = os.environ | threads | {"POCKETRCNN_DATA": str(folder / "cache"), "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=seconds)[0], process.returncode
    except subprocess.TimeoutExpired:
        return "", None
    finally:
        end(process)


def end(process: subprocess.Popen[str]) -> None:
    """End a process with all that it started."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def students_files(folder: Path) -> list[tuple[str, Path, Path]]:
    """Student, file and lesson of every file in a folder that holds exercises of a lesson.

    A student is named by the folder that the file is in, or, where all lie in one folder, by the file's name. A file
    that is none of these is named on standard error. Raises UserError where there is no other.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: name the one with the students' files")
    known = {name: lesson for lesson in cells.lessons() for name in cells.exercises(lesson)}
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".ipynb")):
        below = path.relative_to(folder).parts
        if any(part.startswith(".") for part in below):  # .ipynb_checkpoints
            continue
        try:
            names = [name for cell in cells.read(path) for name in cell.functions if name in known]
        except UserError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        if names:
            found.append((below[0] if len(below) > 1 else path.stem, path, known[names[0]]))
        else:
            print(f"left out: {path} has no exercise of a lesson", file=sys.stderr)
    if not found:
        raise UserError(f"{folder} has no .py or .ipynb file with an exercise of a lesson")
    return found


def mark_all(folder: Path, workers: int) -> list[Marked]:
    """The marks of all students' files in a folder, in their order."""
    files = students_files(folder)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda one: mark(one[1], one[2], one[0]), files))


def table(marked: Iterable[Marked]) -> str:
    """Lines for people: a table for each lesson, a row for each student."""
    lines: list[str] = []
    by_lesson: dict[Path, list[Marked]] = {}
    for one in marked:
        by_lesson.setdefault(one.lesson, []).append(one)
    for lesson, rows in sorted(by_lesson.items()):
        names = cells.exercises(lesson)
        wide = max(len("student"), *(len(row.student) for row in rows))
        lines += ["", cells.title(lesson), "", f"{'student':{wide}}  right  " + "  ".join(f"{n:11}" for n in names)]
        for row in rows:
            states = "  ".join(f"{WORDS[row.marks[n].state]:{max(11, len(n))}}" for n in names)
            lines.append(f"{row.student:{wide}}  {f'{row.right}/{len(names)}':5}  {states}".rstrip())
    return "\n".join(lines[1:])


def write_csv(marked: Iterable[Marked], path: Path) -> None:
    """A line for each student and exercise, with the message of the first test that does not pass. Raises UserError
    where it cannot be written."""
    with open_atomically(path, "w", "name another file") as file:
        rows = csv.writer(file)
        rows.writerow(["student", "lesson", "exercise", "state", "tests passed", "tests", "message"])
        for one in marked:
            for name, mark in one.marks.items():
                state = WORDS[mark.state]
                rows.writerow([one.student, one.lesson.stem, name, state, mark.passed, mark.tests, mark.message])
