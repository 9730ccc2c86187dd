"""Lessons as notebooks, beside them. A notebook in which somebody has worked is never written over."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from pocketrcnn.data.files import write_atomically

from . import cells

KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
MADE_FROM = "made_from"  # in the metadata: the hash of the cells as they were made
PLACE = "place"
"""Tag of a cell of the notebook alone: where the lessons are, so that a copy of it works in any folder."""


def write(lesson: Path) -> str:
    """Make a notebook of a lesson, and say so in a line."""
    path = lesson.with_suffix(".ipynb")
    if path.is_file() and worked_in(path):
        return f"{path} holds work, and stays as it is: rename it, or delete it, to get a new one"
    notebook = cells.parse(lesson)
    first_code = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    notebook.cells.insert(first_code, place_of_the_lessons())
    text = described(notebook)
    write_atomically(path, text.encode(), "clone the project to a folder of your own")
    return f"{path}"


def portable(lesson: Path) -> str:
    """A notebook of a lesson as text, for the folder `lessons/` of any clone."""
    return described(cells.parse(lesson))


def place_of_the_lessons() -> Any:
    """The cell by which a copy of a notebook finds the lessons."""
    return nbformat.v4.new_code_cell(  # type: ignore[no-untyped-call,unused-ignore]
        f"import sys\n\nsys.path.insert(0, {str(cells.LESSONS)!r})  # where this lesson was made: its tests are there",
        metadata={"tags": [PLACE]},
    )


def described(notebook: Any) -> str:
    """The text of a notebook file: the same cells give the same bytes."""
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}, "pocketrcnn": {}}
    notebook.metadata["pocketrcnn"][MADE_FROM] = fingerprint(notebook)
    return str(jupytext.writes(notebook, fmt="ipynb"))


def worked_in(path: Path) -> bool:
    """Whether a notebook is no longer as it was made."""
    notebook = cells.parse(path)
    return bool(notebook.metadata.get("pocketrcnn", {}).get(MADE_FROM) != fingerprint(notebook))


def fingerprint(notebook: Any) -> str:
    """A hash of the sources of all cells."""
    return hashlib.sha256("\0".join(cell.source for cell in notebook.cells).encode()).hexdigest()
