"""A lesson, or a student's copy of one, as cells: percent-format `.py` or `.ipynb`, through jupytext."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import jupytext

from pocketrcnn.errors import UserError

LESSONS = Path(__file__).resolve().parents[1]
EXERCISE, IMPORTS = "exercise", "imports"  # tags
MAGIC = re.compile(r"^[%!?].*|^.*\?$", re.MULTILINE)  # of IPython: no Python
DEFINITION = re.compile(r"^(?:async )?def +(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell. `line`: that of its first line in a `.py` file; in a notebook 1."""

    kind: Literal["markdown", "code"]
    source: str
    tags: tuple[str, ...] = ()
    line: int = 1

    @property
    def functions(self) -> list[str]:
        """Names of the functions that it defines, also where it cannot be parsed."""
        return DEFINITION.findall(self.source) if self.kind == "code" else []

    @property
    def checks(self) -> bool:
        """Whether it says how far an exercise is, and nothing else."""
        return self.kind == "code" and self.source.startswith("check(")

    @property
    def python(self) -> str:
        """The source, with IPython's commands as empty lines."""
        return MAGIC.sub("", self.source)


def lessons() -> list[Path]:
    """All lessons, in their order."""
    return sorted(LESSONS.glob("[0-9][0-9]_*.py"))


def find(number: str) -> Path:
    """The lesson `03`, `3` or `03_boxes`. Raises UserError where there is none."""
    for path in lessons():
        if path.stem == number or path.stem[:2] == number.zfill(2):
            return path
    known = ", ".join(path.stem for path in lessons())
    raise UserError(f"there is no lesson `{number}`: use one of {known}")


def chosen(numbers: list[str]) -> list[Path]:
    """The lessons of these numbers; all of them without. Raises UserError where there is none of a number."""
    return list(map(find, numbers)) if numbers else lessons()


def folder_of(lesson: Path) -> Path:
    """What belongs to a lesson: its hidden tests, its data."""
    return LESSONS / lesson.stem[:2]


def parse(path: Path) -> Any:
    """A file as a notebook. Raises UserError where it cannot be read."""
    if path.suffix not in (".py", ".ipynb"):
        raise UserError(f"{path} is neither a .py nor an .ipynb file: give a lesson, or a student's copy of one")
    text = text_of(path)
    try:
        return jupytext.reads(text, fmt="py:percent" if path.suffix == ".py" else "ipynb")
    except Exception as error:  # whatever jupytext and nbformat raise for what is no notebook
        raise UserError(f"{path} is no notebook that can be read: save it again as .ipynb or .py") from error


def text_of(path: Path) -> str:
    """The text of a file. Raises UserError where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): give the path of a lesson") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: save it in this encoding") from error


def read(path: Path) -> list[Cell]:
    """The cells of a file. Raises UserError where it cannot be read."""
    return list(read_once(path, path.stat().st_mtime_ns if path.is_file() else 0))


@lru_cache(maxsize=100)
def read_once(path: Path, changed: int) -> tuple[Cell, ...]:
    """The cells of a file that was changed then: a `check` looks for its exercise in all lessons."""
    notebook, text = parse(path), text_of(path)
    found, position = [], 0
    for cell in notebook.cells:
        place = text.find(cell.source, position) if cell.cell_type == "code" and path.suffix == ".py" else -1
        position = max(position, place)
        line = text.count("\n", 0, place) + 1 if place >= 0 else 1
        kind: Literal["markdown", "code"] = "code" if cell.cell_type == "code" else "markdown"
        found.append(Cell(kind, cell.source, tuple(cell.metadata.get("tags", ())), line))
    return tuple(found)


def exercises(lesson: Path) -> list[str]:
    """The names of the functions that a lesson leaves to its students, in their order."""
    return [name for cell in read(lesson) if EXERCISE in cell.tags for name in cell.functions]


def gaps(path: Path) -> int:
    """How many functions of a file are still to be written."""
    return sum(cell.source.count("raise NotImplementedError(") for cell in read(path) if cell.kind == "code")


def title(lesson: Path) -> str:
    """The heading of a lesson, as in `Lesson 3: Boxes, IoU, anchors, matching`."""
    return read(lesson)[0].source.splitlines()[0].removeprefix("# ")


def exercise_of(test: str, names: list[str]) -> str | None:
    """The exercise that a hidden test is about: the longest name that the test's name begins with, behind `test_`."""
    fitting = [name for name in names if f"{test}_".startswith(f"test_{name}_")]
    return max(fitting, key=len, default=None)


def statements(cell: Cell) -> list[ast.stmt]:
    """The imports, functions and classes of a cell, with the line numbers of its file. Raises SyntaxError."""
    tree = ast.parse(cell.python)
    ast.increment_lineno(tree, cell.line - 1)
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in tree.body if isinstance(node, kinds)]
