"""What Griffe does to docstrings before they are pages: they are plain text, and Markdown would misread some of it.

Shapes such as [B,N,4] become code, examples of the interpreter become blocks of code, and names in backticks lead to
their entry in the reference, where they have one.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

from pocketrcnn import _HOME  # which module a public name is from

from .reference import dotted, modules

SHAPE = re.compile(
    r"(?<![\w`\]])\[(?:\.\.\.|[A-Z0-9a-z'*/+·| ]{1,12})(?:, ?(?:\.\.\.|[A-Z0-9a-z'*/+·| ]{1,12}))*\](?!\()"
)
EXAMPLE = re.compile(r"^(?:>>> .*(?:\n(?!\s*$).*)*)", re.MULTILINE)
NAME = re.compile(r"(?<![`\[])`(?P<name>[A-Za-z_][\w.]*)(?P<rest>\(\))?`(?![`\]])")
COMMENT = re.compile(r"(?m)  # (?!type:|noqa)(.+)$")
SPANS = re.compile(r"(`+[^`]*`+)")
PUBLIC = tuple(f"pocketrcnn.{module}.{name}" for name, module in _HOME.items())


class Docstrings(griffe.Extension):  # type: ignore[misc,unused-ignore]
    """Docstrings as Markdown that says what they say."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """All docstrings of the package, once it is loaded."""
        visit(pkg)


def visit(parent: griffe.Object) -> None:
    """The docstrings of an object and of all that is in it."""
    if parent.is_class:
        describe_fields(parent)
    if parent.docstring:
        parent.docstring.value = markdown(parent.docstring.value, parent)
    for member in parent.members.values():
        if not member.is_alias:
            visit(member)  # type: ignore[arg-type]


def describe_fields(parent: griffe.Object) -> None:
    """Fields that neither a docstring nor that of their class describes are shown too, by the comment beside them."""
    text = parent.docstring.value if parent.docstring else ""
    for name, field in parent.attributes.items():
        public = not name.startswith("_") and field.annotation is not None and not field.is_alias
        if public and not field.docstring and not re.search(rf"\b{name}\b", text):
            comment = COMMENT.search(field.source)
            field.docstring = griffe.Docstring(comment[1] if comment else "\u00a0", parent=field)


def markdown(text: str, scope: griffe.Object) -> str:
    """A docstring for a Markdown parser. scope: the object that it is about."""
    text = EXAMPLE.sub(lambda found: f"```pycon\n{found[0]}\n```", text)
    return "\n\n".join(paragraph(part, scope) for part in text.split("\n\n"))


def paragraph(text: str, scope: griffe.Object) -> str:
    """One paragraph: prose with its parameters as a list; blocks of code and tables stay as they are."""
    if text.startswith(("    ", "```", "|")):
        return text
    names = [*getattr(scope, "parameters", ()), *(scope.attributes if scope.is_class else ())]
    known = [name for one in names if (name := getattr(one, "name", one)) != "self"]
    if known:
        text = with_list(text, f"`?(?:{'|'.join(map(re.escape, known))})`?")
    return "\n".join(prose(line, scope) for line in text.split("\n"))


def with_list(text: str, name: str) -> str:
    """A paragraph with an item for each parameter that a sentence begins with: `width: in pixels. height: ...`."""
    first = rf"(?:^|(?<=[.;:)])\s)(?P<names>{name}(?:, {name})*):\s"
    listed = re.sub(first, lambda found: f"\n- **{found['names'].replace('`', '')}**: ", text)
    if listed == text:
        return text
    before, items = listed.split("\n- ", 1)
    items = re.sub(r"(?<=[.;])\s(?=Raises )", "\n\n", items)  # no part of the last item
    return f"{before}\n\n- {items}".lstrip("\n")


def prose(line: str, scope: griffe.Object) -> str:
    """A line with its shapes as code and its names as links."""
    parts = SPANS.split(line)
    parts[::2] = [SHAPE.sub(lambda found: f"`{found[0]}`", part) for part in parts[::2]]
    return NAME.sub(lambda found: linked(found, scope), "".join(parts))


def linked(found: re.Match[str], scope: griffe.Object) -> str:
    """A name in backticks, with a link where it is one of the package's."""
    path = resolved(found["name"], scope)
    return f"[{found[0]}][{path}]" if path else found[0]


def resolved(name: str, scope: griffe.Object) -> str | None:
    """The full name of what a docstring calls `name`; None where that is nothing of the package, or private."""
    first, *rest = name.split(".")
    if first in {one.name for one in getattr(scope, "parameters", ())}:
        return None
    try:
        found: Any = scope.modules_collection[scope.resolve(first)]
        for part in rest:
            found = found[part]
        found = found.final_target if found.is_alias else found
    except (griffe.NameResolutionError, griffe.AliasResolutionError, griffe.CyclicAliasError, KeyError, AttributeError):
        return None
    return found.path if found.path != scope.path and in_reference(found) else None


def in_reference(found: griffe.Object) -> bool:
    """Whether an object has an entry: a public name of the package, or what a module of the reference shows."""
    inside = (*PUBLIC, *map(dotted, modules()))
    shown = found.has_docstring and not any(part.startswith("_") for part in found.path.split("."))
    return shown and any(found.path == one or found.path.startswith(f"{one}.") for one in inside)
