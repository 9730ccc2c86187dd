"""Lessons as pages: what they say, what they compute and show, their exercises and questions, without any solution."""

from __future__ import annotations

import html
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .pages import fenced, page
from .repository import LESSONS, ROOT, Wanted, page_of

sys.path.insert(0, str(ROOT / LESSONS))
from making import cells, notebooks
from making.execution import Executed, Figure, Ran, Text, executed

SIDE_BY_SIDE = 2  # lessons at a time, each in a process of its own
PNG_SIZE = slice(16, 24)  # width and height, in the head of the file
HEAD = "---\nhide: [toc]\n---\n"  # code is wide
SHARPNESS = 2  # pixels of a figure for one of the page


def lesson_pages(wanted: Wanted) -> dict[str, str | bytes]:
    """Pages, figures and notebooks of all lessons, by their path in the working copy. Executes what is not kept."""
    made: dict[str, str | bytes] = {}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as several:
        for one in several.map(executed, cells.lessons()):
            made |= pages_of(one, wanted)
    return made


def pages_of(one: Executed, wanted: Wanted) -> dict[str, str | bytes]:
    """The page of one lesson, with its figures and its notebook."""
    path = one.lesson.relative_to(ROOT).as_posix()
    wanted.add("lessons/classroom.py")
    parts = [cell_of(ran, path, wanted) for ran in one.cells]
    parts.insert(1, head(one))
    made: dict[str, str | bytes] = {page_of(path): HEAD + "\n\n".join(filter(None, parts)) + "\n"}
    made |= {f"{LESSONS}/{place(one.lesson, figure)}": figure.png for figure in one.figures}
    return made | {f"{LESSONS}/{one.lesson.stem}.ipynb": notebooks.portable(one.lesson)}


def head(one: Executed) -> str:
    """What can be done with a lesson besides reading it."""
    file = f"{one.lesson.stem}.ipynb"
    count = len(cells.exercises(one.lesson))
    return f"[Notebook]({file}){{: download }} · [how to start](README.md) · {count} exercises"


def cell_of(ran: Ran, path: str, wanted: Wanted) -> str:
    """A cell with what came out of it."""
    if ran.cell.kind == "markdown":
        return page(ran.cell.source, path, wanted)
    code = fenced(ran.cell.source, "python")
    if cells.EXERCISE in ran.cell.tags:
        code = f'<div class="exercise" markdown>\n\n{code}\n\n</div>'
    outputs = (output_of(output, ROOT / path, ran.cell.checks) for output in ran.outputs)
    return "\n\n".join((code, *outputs))


def output_of(output: Text | Figure, lesson: Path, checked: bool) -> str:
    """What a cell printed, or showed. checked: whether it says how far an exercise is, in a sentence."""
    if isinstance(output, Text):
        return f'<div class="{"verdict" if checked else "output"}" markdown>\n\n{fenced(output.text, "text")}\n\n</div>'
    width, height = (side // SHARPNESS for side in struct.unpack(">II", output.png[PNG_SIZE]))
    file, caption = place(lesson, output), html.escape(output.caption)
    image = f'<img src="{file}" alt="{caption}" width="{width}" height="{height}" loading="lazy">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"


def place(lesson: Path, figure: Figure) -> str:
    """Where a figure is, from the folder of the lessons."""
    return f"{cells.folder_of(lesson).name}/{figure.name}.png"


def menu() -> list[Any]:
    """The lessons in the menu."""
    paths = [path.relative_to(ROOT).as_posix() for path in cells.lessons()]
    titles = [cells.title(path).removeprefix("Lesson ").replace(":", " ·", 1) for path in cells.lessons()]
    return [f"{LESSONS}/README.md", *({title: page_of(path)} for title, path in zip(titles, paths, strict=True))]
