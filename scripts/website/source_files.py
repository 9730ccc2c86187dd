"""Source files as pages: highlighted, each line with an anchor; and one page that lists those of the package."""

from __future__ import annotations

import ast
from pathlib import Path

from .pages import fenced, relative
from .repository import PACKAGE, ROOT, page_of, tracked

LANGUAGES = {".py": "python", ".js": "javascript", ".css": "css", ".html": "html", ".toml": "toml", ".yml": "yaml"}
HEAD = "---\ntitle: {title}\nhide: [navigation, toc]\nsearch:\n  exclude: true\n---\n"
LIST = "src/index.md"


def package_files() -> list[str]:
    """The files of the package that people read, from the root of the repository."""
    return [path.relative_to(ROOT).as_posix() for path in tracked(PACKAGE.rglob("*.py"))]


def source_page(path: str, reference: str | None = None) -> str:
    """The page of a file. reference: the page of the API reference that is about it."""
    text = (ROOT / path).read_text(encoding="utf-8")
    links = [f"{len(text.splitlines())} lines", f"[all files]({relative(LIST, path)})"]
    links += [f"[API reference]({relative(reference, path)})"] if reference else []
    language = LANGUAGES.get(Path(path).suffix, "text")
    head = HEAD.format(title=Path(path).name) + f"# {path}\n\n{' · '.join(links)}\n\n"
    return head + fenced(text, f'{language} linenums="1"') + "\n"


def purpose(path: str) -> str:
    """The first sentence of a file's docstring, for a cell of a table."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    first = " ".join(text.split("\n\n")[0].split())
    return first.replace("|", "\\|")


def list_of_files(reading_order: list[str]) -> str:
    """The page that lists the package: first what is read in an afternoon, then all files by room."""
    files = package_files()
    text = f"{HEAD.format(title='Source')}# Source\n\nThe {len(files)} files of the package, with numbered lines. "
    text += f"The detector is read in an afternoon, in this order:\n\n{table(reading_order, 'src/pocketrcnn/')}"
    rooms = sorted({Path(file).parent.as_posix() for file in files}, key=lambda room: (room.count("/"), room))
    for room in rooms:
        inside = [file for file in files if Path(file).parent.as_posix() == room]
        name = room.removeprefix("src/")
        text += f"\n## {name}\n\n{table(inside, f'{room}/')}"
    return text


def table(files: list[str], prefix: str) -> str:
    """Files with their lines and purpose."""
    rows = [
        f"| [`{file.removeprefix(prefix)}`]({relative(page_of(file), LIST)}) | {lines(file)} | {purpose(file)} |"
        for file in files
    ]
    return "\n".join(("| file | lines | |", "|---|---:|---|", *rows, ""))


def lines(path: str) -> int:
    """How long a file is."""
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())
