"""The cells of a lesson as slides.

- A heading begins a slide, with the text below it, and so does a paragraph that begins with "**Exercise"; text without
  a heading is a slide with the heading before.
- A code cell is a slide, with what it prints; below the text before it, where both are short. The gap of an exercise
  always stands below its text.
- A figure is a slide of its own, with its caption.
- The imports and `check(..)` are left out.

Tags of cells overrule that: `skip` leaves a cell out, `slide` shows one that would be left out and gives code a slide
of its own, and what is tagged `notes` is no slide: the teacher sees it below the slide before.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

from markdown_it.token import Token

from ..cells import EXERCISE, IMPORTS, Cell
from ..execution import Executed, Figure, Ran, Text
from .rendering import TAG, code, reader, rendered

ROOM = 13  # lines of text of a slide, in large letters
CODE_LINE = 0.7  # of a line of text
LETTERS = 72  # of a line
MATH = re.compile(r"<math.*?</math>", re.DOTALL)
SKIP, SLIDE, NOTES = "skip", "slide", "notes"  # tags


@dataclass
class Slide:
    """One slide: its heading, as HTML, and what is on it. kind: `title`, `text`, `code`, `both` or `figure`."""

    heading: str
    kind: str
    lines: float = 0  # of text, about
    body: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def slides(lesson: Executed) -> list[Slide]:
    """All slides of a lesson. Raises UserError where a formula cannot be converted."""
    made: list[Slide] = []
    for ran in lesson.cells:
        if SKIP in ran.cell.tags:
            continue
        if NOTES in ran.cell.tags:
            made[-1].notes.append(as_notes(ran.cell))
        elif ran.cell.kind == "markdown":
            for heading, body in sections(ran.cell.source):
                kind = "text" if made else "title"
                made.append(Slide(heading or made[-1].heading, kind, text_lines(body), [body] if body else []))
        elif shows(ran.cell):
            add_code(made, ran)
    return made


def as_notes(cell: Cell) -> str:
    """A cell as the teacher's notes."""
    return rendered(reader().parse(cell.source)) if cell.kind == "markdown" else code(cell.source)


def shows(cell: Cell) -> bool:
    """Whether a code cell is on the slides."""
    return SLIDE in cell.tags or not (IMPORTS in cell.tags or cell.checks)


def sections(text: str) -> Iterator[tuple[str, str]]:
    """The headings of a text, each with what stands below; what stands before the first one has an empty heading."""
    tokens = reader().parse(text)
    starts = [i for i, token in enumerate(tokens) if token.level == 0 and begins(token, tokens[i + 1 : i + 2])]
    for start, end in pairwise([*([0] if starts[:1] != [0] else []), *starts, len(tokens)]):
        if tokens[start].type == "heading_open":
            yield heading_of(tokens[start + 1]), rendered(tokens[start + 3 : end])
        else:
            yield "", rendered(tokens[start:end])


def begins(token: Token, following: list[Token]) -> bool:
    """Whether a slide begins at a token."""
    exercise = token.type == "paragraph_open" and any(one.content.startswith("**Exercise") for one in following)
    return exercise or token.type == "heading_open"


def heading_of(inline: Token) -> str:
    """The words of a heading, as HTML."""
    markdown = reader()
    return str(markdown.renderer.render([inline], markdown.options, {}))


def text_lines(body: str) -> float:
    """About how many lines a text takes: its paragraphs and items with their distances, formulas as two and a half."""
    formulas = body.count('display="block"')
    parts = [TAG.sub("", MATH.sub("....", part)) for part in re.split(r"</p>|</li>|</tr>", body)]
    return 2.5 * formulas + sum(ceil(len(part.strip()) / LETTERS) + 0.4 for part in parts if part.strip(" .\n"))


def lines(text: str) -> int:
    """Lines of a printed text or of code."""
    return len(text.strip().splitlines())


def add_code(made: list[Slide], ran: Ran) -> None:
    """Add a code cell to the slides, and its figures."""
    heading = made[-1].heading
    texts = [
        f'<pre class="printed">{html.escape(out.text.rstrip())}</pre>' for out in ran.outputs if isinstance(out, Text)
    ]
    body = [code(ran.cell.source), *texts]
    printed = "".join(out.text for out in ran.outputs if isinstance(out, Text))
    short = made[-1].lines + CODE_LINE * (lines(ran.cell.source) + lines(printed)) <= ROOM
    if made[-1].kind == "text" and SLIDE not in ran.cell.tags and (short or EXERCISE in ran.cell.tags):
        made[-1].body += body
        made[-1].kind = "both"
    else:
        made.append(Slide(heading, "code", 0, body))
    made += [Slide(heading, "figure", 0, [picture(out)]) for out in ran.outputs if isinstance(out, Figure)]


def picture(figure: Figure) -> str:
    """A figure with its caption."""
    caption, content = html.escape(figure.caption), base64.b64encode(figure.png).decode("ascii")
    image = f'<img src="data:image/png;base64,{content}" alt="{caption}">'
    return f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
