"""What the API reference shows says what its reader needs: shapes, parameters, errors.

The rule, for every public function and method of a module of the reference, and for the public names of `pocketrcnn`:
each tensor or array has a shape in brackets, or is named; numbers, texts and flags are named; objects of the package
speak by their type; who raises UserError says so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

import pocketrcnn
from scripts.website.reference import modules
from scripts.website.repository import ROOT

SHAPE = re.compile(r"\[[^\]`\n]*\]")
ARRAY = re.compile(r"\b(?:Tensor|NDArray|Pixels|Floats|Indices)\b")
PLAIN = re.compile(r"\b(?:int|float|str|bool|bytes|Any|Callable)\b|^(?:PathLike|Place)\b")
BY_LIBRARIES = {"forward", "backward", "step"}  # called by torch: the docstring of the class speaks for them
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Shown(NamedTuple):
    """A function of the reference: its name, its lines, and the docstrings that speak of it."""

    name: str
    node: Function
    text: str


def shown(path: str) -> Iterator[Shown]:
    """The public functions and methods of a file; of one that has no page, those that are public names."""
    names = None if path in modules() else {name for name, home in pocketrcnn._HOME.items() if file_of(home) == path}
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        if not isinstance(node, Function | ast.ClassDef) or node.name.startswith("_"):
            continue
        if names is None or node.name in names:
            yield from members(node)


def members(node: Function | ast.ClassDef) -> Iterator[Shown]:
    """A function, or the methods of a class."""
    if isinstance(node, Function):
        yield Shown(node.name, node, ast.get_docstring(node) or "")
        return
    for method in node.body:
        if isinstance(method, Function) and not method.name.startswith("_"):
            own, whole = ast.get_docstring(method) or "", ast.get_docstring(node) or ""
            by_library = method.name in BY_LIBRARIES
            yield Shown(f"{node.name}.{method.name}", method, f"{own} {whole}" if by_library else own)


def file_of(home: str) -> str:
    """The file of a module of the package."""
    return f"src/pocketrcnn/{home.replace('.', '/')}.py"


FILES = sorted({*modules(), *map(file_of, pocketrcnn._HOME.values())})
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.removeprefix("src/pocketrcnn/"))


def parameters(node: Function) -> dict[str, str]:
    """Names and types, but for `self`."""
    listed = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return {one.arg: ast.unparse(one.annotation) if one.annotation else "" for one in listed if one.arg != "self"}


def not_named(one: Shown) -> list[str]:
    """Parameters that a docstring leaves open."""
    types = parameters(one.node)
    unnamed = [name for name in types if not re.search(rf"\b{name}\b", one.text)]
    plain = [name for name in unnamed if PLAIN.search(types[name]) and not ARRAY.search(types[name])]
    arrays = [name for name in unnamed if ARRAY.search(types[name])]
    return plain + arrays * (len(SHAPE.findall(one.text)) < len(arrays))


def raises(node: Function) -> bool:
    """Whether a function itself raises UserError."""
    for part in ast.walk(node):
        if isinstance(part, ast.Raise) and part.exc is not None and "UserError" in ast.unparse(part.exc):
            return True
        if isinstance(part, ast.Call) and ast.unparse(part.func) in ("require", "at_least"):
            return True
    return False


@each_file
def test_every_array_has_a_shape(path: str) -> None:
    def without(one: Shown) -> bool:
        types = (*parameters(one.node).values(), ast.unparse(one.node.returns) if one.node.returns else "")
        return any(map(ARRAY.search, types)) and not SHAPE.search(one.text)

    assert [one.name for one in shown(path) if without(one)] == []


@each_file
def test_every_parameter_is_named_or_speaks_by_its_type(path: str) -> None:
    assert {one.name: open_ones for one in shown(path) if (open_ones := not_named(one))} == {}


@each_file
def test_who_raises_an_error_for_users_says_so(path: str) -> None:
    assert [one.name for one in shown(path) if raises(one.node) and "UserError" not in one.text] == []


def test_commands_say_that_they_raise_errors_for_users() -> None:
    for name in ("check", "convert", "train", "resume", "evaluate", "write_report", "predict", "export"):
        assert "UserError" in (getattr(pocketrcnn, name).__doc__ or ""), name


def test_the_rule_finds_what_it_looks_for() -> None:
    text = 'def f(x: Tensor, n: int, c: Config) -> Tensor:\n    """Ones."""\n    require(n > 0, "")'
    node = ast.parse(text).body[0]
    assert isinstance(node, ast.FunctionDef)
    assert not_named(Shown("f", node, "Ones.")) == ["n", "x"]
    assert not_named(Shown("f", node, "The first n: [B,N] -> [B,n].")) == []
    assert raises(node)
