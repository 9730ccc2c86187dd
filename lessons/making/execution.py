"""What a lesson prints and shows, cell by cell: `executed(lesson)`.

A lesson runs in a process of its own, in an empty folder, without a network, and warnings are errors. What came out is
kept in `build/lessons/`, under a hash of all that it depends on: site, slides and tests execute a lesson once.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

from filelock import FileLock

from pocketrcnn.errors import UserError

from . import cells

ROOT = cells.LESSONS.parent
KEPT = ROOT / "build" / "lessons"
SECONDS = 600  # a limit against lessons that hang; a slow computer is no error
RECORD = "cells.json"


@dataclass(frozen=True)
class Text:
    """What was printed."""

    text: str


@dataclass(frozen=True)
class Figure:
    """What was shown: the name within its lesson, what to see, and the PNG."""

    name: str
    caption: str
    png: bytes


@dataclass(frozen=True)
class Ran:
    """A cell with what came out of it, in this order."""

    cell: cells.Cell
    outputs: tuple[Text | Figure, ...]


@dataclass(frozen=True)
class Executed:
    """A lesson, all its cells, and the seconds that they took."""

    lesson: Path
    cells: tuple[Ran, ...]
    seconds: float

    @property
    def figures(self) -> list[Figure]:
        """All figures in their order."""
        return [output for ran in self.cells for output in ran.outputs if isinstance(output, Figure)]


def executed(lesson: Path) -> Executed:
    """What a lesson prints and shows. Raises UserError where one of its cells fails."""
    folder = KEPT / f"{lesson.stem}-{key(lesson)}"
    KEPT.mkdir(parents=True, exist_ok=True)
    with FileLock(KEPT / f"{lesson.stem}.lock"):
        if not (folder / RECORD).is_file():
            for older in KEPT.glob(f"{lesson.stem}-*"):
                shutil.rmtree(older)
            unfinished = Path(f"{folder}.part")
            unfinished.mkdir()
            run(lesson, unfinished)
            unfinished.rename(folder)
        return load(lesson, folder)


def key(lesson: Path) -> str:
    """A hash of all that decides what comes out: lesson, tests, data, kept results, the machinery and the package."""
    here = cells.LESSONS
    beside = filter(Path.is_file, cells.folder_of(lesson).glob("*"))  # its tests, and its data
    results = (ROOT / "docs" / "results").glob("*.json")  # lesson 6 reads one
    package = (ROOT / "src" / "pocketrcnn").rglob("*.py")
    machinery = [here / "classroom.py", here / "conftest.py", here / "pytest.ini", *(here / "making").glob("*.py")]
    found = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in sorted({lesson, *beside, *results, *package, *machinery}):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def run(lesson: Path, out: Path) -> None:
    """Execute a lesson in a process of its own, which writes into the folder `out`."""
    with tempfile.TemporaryDirectory() as empty:
        paths = os.pathsep.join(filter(None, (str(cells.LESSONS), os.environ.get("PYTHONPATH"))))
        environment = os.environ | {
            "PYTHONPATH": paths,
            "POCKETRCNN_DATA": f"{empty}/cache",
            "PYTHONIOENCODING": "utf-8",
        }
        environment |= {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
        command = [sys.executable, "-m", "making", "execute", str(lesson), str(out)]
        try:
            ended = subprocess.run(
                command, cwd=empty, env=environment, capture_output=True, timeout=SECONDS, check=False, encoding="utf-8"
            )
        except subprocess.TimeoutExpired as error:
            raise UserError(f"{lesson} was still busy after {SECONDS} s: find the cell that never ends") from error
    if ended.returncode:
        raise UserError(f"{lesson} fails:\n{ended.stderr.strip()}")


def load(lesson: Path, folder: Path) -> Executed:
    """What a process wrote."""
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    found = cells.read(lesson)
    ran = []
    for cell, outputs in zip(found, record["cells"], strict=True):
        ran.append(Ran(cell, tuple(output(one, folder) for one in outputs)))
    return Executed(lesson, tuple(ran), record["seconds"])


def output(one: dict[str, str], folder: Path) -> Text | Figure:
    """One of the outputs of a record."""
    if "text" in one:
        return Text(one["text"])
    return Figure(one["name"], one["caption"], (folder / f"{one['name']}.png").read_bytes())


def execute(lesson: Path, out: Path) -> None:
    """In the process of its own: run all cells in one namespace and write down what comes out of each."""
    sys.path.insert(0, str(cells.LESSONS))
    import classroom

    begun = time.perf_counter()
    namespace: dict[str, Any] = {"__name__": "__main__", "__file__": str(lesson)}
    sys.argv = [str(lesson)]
    record = []
    socket.socket.connect = refuse  # type: ignore[method-assign]
    warnings.simplefilter("error")
    for cell in cells.read(lesson):
        with recorded(classroom, out) as outputs:
            if cell.kind == "code":
                exec(compiled(cell, lesson), namespace)
        record.append(outputs)
    content = {"cells": record, "seconds": round(time.perf_counter() - begun, 2)}
    (out / RECORD).write_text(json.dumps(content), encoding="utf-8")


def compiled(cell: cells.Cell, lesson: Path) -> CodeType:
    """The code of a cell, with the line numbers of its file."""
    return compile("\n" * (cell.line - 1) + cell.python, lesson, "exec")


def refuse(*_: object) -> None:
    """In place of `connect`."""
    raise OSError("a lesson needs no network")


@contextlib.contextmanager
def recorded(classroom: Any, out: Path) -> Iterator[list[dict[str, str]]]:
    """The outputs of the block: texts and figures in their order."""
    outputs: list[dict[str, str]] = []
    printed = io.StringIO()

    def flush() -> None:
        if text := printed.getvalue():
            outputs.append({"text": text})
        printed.seek(0)
        printed.truncate()

    def collect(name: str, caption: str, png: bytes) -> None:
        assert not (out / f"{name}.png").exists(), f"two figures are called {name}"
        flush()
        (out / f"{name}.png").write_bytes(png)
        outputs.append({"name": name, "caption": caption})

    classroom.collector = collect
    with contextlib.redirect_stdout(printed):
        yield outputs
    flush()


def main(lesson: Path, out: Path) -> int:
    """As a command: a failing cell is named by its line."""
    try:
        execute(lesson, out)
    except Exception:
        traceback.print_exc()
        return 1
    return 0
