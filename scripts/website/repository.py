"""Which files of the repository have a page, and where in the working copy it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pocketrcnn"
BASES = (".", "src/pocketrcnn", "tests")  # a path in prose begins at one of these
LESSON = re.compile(r"lessons/\d\d_\w+\.py")
WITHHELD = re.compile(r"lessons/(?:solutions|\d\d)(?:/|$)")  # from those who are to find the answers by themselves
SOURCES = (".py", ".js", ".css", ".html", ".toml", ".txt", ".yml", "")  # shown highlighted; the rest are files to load
START = "index.md"
LESSONS = "lessons"


def tracked(paths: Iterable[Path]) -> list[Path]:
    """Files, sorted, but for what a run of Python leaves between them."""
    return sorted(path for path in paths if path.is_file() and "__pycache__" not in path.parts)


def page_of(path: str) -> str:
    """The page, or the copy, of a file of the repository: `README.md` -> `index.md`, `a/b.py` -> `a/b.py.md`."""
    if path == "README.md":
        return START
    if LESSON.fullmatch(path):
        return path.removesuffix(".py") + ".md"
    return f"{path}.md" if Path(path).suffix in SOURCES else path


def named(path: str) -> str | None:
    """The file that a path in prose means, from the root of the repository: `model/boxes.py` -> `src/...`."""
    candidates = (Path(base, path).as_posix() for base in BASES)
    return next((one for one in candidates if (ROOT / one).is_file() and not WITHHELD.match(one)), None)


def shown(path: str) -> str | None:
    """The file whose page a link to `path` leads to: of a folder its README.md; None where nothing is shown."""
    file = f"{path}/README.md" if (ROOT / path).is_dir() else path
    if WITHHELD.match(path) or ((ROOT / path).is_dir() and not (ROOT / file).is_file()):
        return None
    return file


@dataclass
class Wanted:
    """Files that pages link to, by their path from the root: each is made once, as a page or as a copy."""

    waiting: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def add(self, path: str) -> None:
        """One more file, unless it is known."""
        if path not in self.seen:
            self.seen.add(path)
            self.waiting.append(path)
