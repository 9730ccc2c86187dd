"""A Markdown page of the repository as a page of the site: its links, the source files that it names, its formulas."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from .formulas import with_formulas
from .repository import ROOT, Wanted, named, page_of, shown

FENCED = re.compile(r"(^[ \t]*(?P<fence>```+|~~~+).*?^[ \t]*(?P=fence)[ \t]*$)", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)`[^`\n]+`(?!`)")
LINK = re.compile(r"(?P<text>\[(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^)\s#]*)(?P<anchor>#[^)\s]*)?\)")
ELSEWHERE = re.compile(r"^(?:[a-z]+:|//)")
NAMES_A_FILE = re.compile(r"(?<![\[`])`(?P<path>[\w.-]+(?:/[\w.-]+)*\.\w+)`(?![\]`])")


def outside(code: re.Pattern[str], text: str, change: Callable[[str], str]) -> str:
    """A text with its prose changed, and its code as it was. code: what is code, `FENCED` or `SPAN`."""
    parts: list[str] = []
    end = 0
    for found in code.finditer(text):
        parts += [change(text[end : found.start()]), found[0]]
        end = found.end()
    return "".join((*parts, change(text[end:])))


def page(text: str, path: str, wanted: Wanted) -> str:
    """The text of a page for the generator. path: of the page in the repository; wanted: takes what it links to."""
    return outside(FENCED, text, lambda prose: prose_of(prose, path, wanted))


def prose_of(text: str, path: str, wanted: Wanted) -> str:
    """Prose with links of the site, formulas, and a link at each source file that is named in backticks."""
    text = outside(SPAN, text, with_formulas)
    text = LINK.sub(lambda found: link(found, path, wanted), text)
    return NAMES_A_FILE.sub(lambda found: mention(found, path, wanted), text)


def link(found: re.Match[str], path: str, wanted: Wanted) -> str:
    """A link to a file of the repository as one to its page, or its text where the file is not shown."""
    target = found["target"]
    if not target or ELSEWHERE.match(target):
        return found[0]
    file = os.path.normpath(PurePosixPath(path).parent / target)
    if not (ROOT / file).exists():
        raise FileNotFoundError(f"{path} links to {target}, which is not there")
    if (page := shown(file)) is None:
        return found["text"][1:]
    wanted.add(page)
    return f"{found['text']}]({relative(page_of(page), path)}{found['anchor'] or ''})"


def mention(found: re.Match[str], path: str, wanted: Wanted) -> str:
    """A source file in backticks, linked with its page, where there is such a file."""
    file = named(found["path"]) if "/" in found["path"] else None
    if file is None or file == path or Path(file).suffix != ".py":
        return found[0]
    wanted.add(file)
    return f"[{found[0]}]({relative(page_of(file), path)})"


def fenced(text: str, info: str) -> str:
    """Code, whatever is in it. info: its language, and what else stands behind the fence."""
    fence = "`" * 5  # docstrings and lessons may hold fences of three
    return f"{fence}{info}\n{text.rstrip()}\n{fence}"


def relative(target: str, path: str) -> str:
    """The way from the page of `path` to another page."""
    return Path(os.path.relpath(target, Path(page_of(path)).parent)).as_posix()
