"""`python -m lessons.making`, in the folder of the project: notebooks and slides of lessons, students' marks."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

NEEDS_SLIDES = "`pip install '.[slides]'` in a clone of the project"
NEEDS = "`pip install '.[lessons]'` in a clone of the project"


def options() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(prog="python -m lessons.making", description="Make something of the lessons.")
    commands = parser.add_subparsers(dest="command", required=True)
    notebooks = commands.add_parser("notebooks", help="write each lesson as a notebook beside it")
    notebooks.add_argument("lessons", nargs="*", metavar="LESSON", help="as in 03; all of them without")
    slides = commands.add_parser("slides", help="write each lesson as slides: one HTML file that needs no network")
    slides.add_argument("lessons", nargs="*", metavar="LESSON", help="as in 03; all of them without")
    slides.add_argument("--out", type=Path, metavar="DIR", help="the folder (default: build/slides)")
    execute = commands.add_parser("execute", help="run a lesson and write what comes out of it into a folder")
    execute.add_argument("lesson", type=Path)
    execute.add_argument("out", type=Path)
    marks = commands.add_parser("marks", help="run the hidden tests on all students' files in a folder")
    marks.add_argument("folder", type=Path)
    marks.add_argument("--csv", type=Path, metavar="FILE", help="write the marks with all messages, too")
    marks.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="files that are marked at a time")
    return parser


def carried_out(given: argparse.Namespace) -> int:
    """Do what was asked for; what needs jupytext is imported here."""
    from . import cells, execution, marking, notebooks

    if given.command == "execute":
        return execution.main(given.lesson, given.out)
    if given.command == "notebooks":
        for lesson in cells.chosen(given.lessons):
            print(notebooks.write(lesson))
        return 0
    if given.command == "slides":
        return write_slides(given.lessons, given.out)
    marked = marking.mark_all(given.folder, max(1, given.workers))
    print(marking.table(marked))
    if given.csv:
        marking.write_csv(marked, given.csv)
        print(f"\n{given.csv} has all messages")
    return 0


def write_slides(lessons: list[str], out: Path | None) -> int:
    """Slides need more packages than the rest."""
    missing = [
        name for name in ("latex2mathml", "markdown_it", "mdit_py_plugins", "pygments") if find_spec(name) is None
    ]
    if missing:
        print(f"slides need {' and '.join(missing)}, not installed here: {NEEDS_SLIDES}", file=sys.stderr)
        return 2
    from . import cells
    from .slides import deck

    for lesson in cells.chosen(lessons):
        print(deck.write(lesson, out or deck.OUT))
    return 0


def main() -> int:
    """The exit code: 2 after a line that says what is wrong."""
    if missing := [name for name in ("pocketrcnn", "jupytext", "pytest") if find_spec(name) is None]:
        print(f"lessons.making needs {' and '.join(missing)}, not installed here: {NEEDS}", file=sys.stderr)
        return 2
    from pocketrcnn.errors import UserError

    given = options().parse_args()
    try:
        return carried_out(given)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
