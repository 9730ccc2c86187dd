"""The functions that a student wrote, taken out of a file: nothing but imports, functions and classes is executed."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import math
import numbers
import typing
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any

from . import cells

BRACKETS: dict[type, str] = {list: "[]", tuple: "()", dict: "{}"}


class NotUsable(Exception):
    """A function is missing, cannot be read, or breaks the promise of its first line. The message is for students."""


class Work:
    """What tests see as `work`: `work.area_of_overlap` is the student's function."""

    def __init__(self, functions: dict[str, Any], where: str) -> None:
        self.functions, self.where = functions, where
        self.problems: dict[str, str] = {}
        """Why a function, or an import, cannot be used."""
        self.files: dict[str, str] = {}
        """Names of code of the student, as tracebacks have them, and as people say them."""
        self.called = ""
        """The arguments of the last call, as it began: a function may change what it is given."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self.problems:
            raise NotUsable(self.problems[name])
        function = self.functions.get(name)
        if not callable(function) or not inspect.isfunction(inspect.unwrap(function)):
            raise NotUsable(f"{self.where} has no function `{name}`: keep its name as it is in the lesson")
        return promised(function, name, self)


def of_function(function: Callable[..., Any]) -> Work:
    """A function that lives in this process, in a notebook or a script."""
    work = Work({function.__name__: function}, "the lesson")
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is not None:
        work.files[code.co_filename] = (
            "" if code.co_filename.endswith(".py") and "ipykernel" not in code.co_filename else " of the cell"
        )
    return work


def of_file(path: Path) -> Work:
    """The functions in a `.py` or `.ipynb` file. Raises UserError where it cannot be read as such."""
    work = Work({"__name__": "work", "__file__": str(path)}, path.name)
    for number, cell in enumerate(cells.read(path), 1):
        if cell.kind == "code":
            run(cell, name_of(path, number, cell, work), work)
    return work


def name_of(path: Path, number: int, cell: cells.Cell, work: Work) -> str:
    """The name that tracebacks give the code of a cell; in a notebook each cell has its own."""
    if path.suffix == ".py":
        work.files[str(path)] = ""
        return str(path)
    name = f"{path}[{number}]"
    work.files[name] = f" of cell {number}"
    linecache.cache[name] = (len(cell.source), None, cell.python.splitlines(keepends=True), name)
    return name


def run(cell: cells.Cell, name: str, work: Work) -> None:
    """Execute the definitions of a cell; what cannot be is noted as a problem of its functions."""
    try:
        found = cells.statements(cell)
    except SyntaxError as error:
        line = (error.lineno or 1) + cell.line - 1
        said = f"line {line}{work.files[name]} is not valid Python ({error.msg}): {(error.text or '').strip()}"
        work.problems |= dict.fromkeys(cell.functions, said)
        return
    for node in found:
        try:
            exec(compile(ast.Module([node], []), name, "exec"), work.functions)
        except Exception as error:
            said = f"line {node.lineno}{work.files[name]} raises {type(error).__name__}: {error}"
            work.problems[getattr(node, "name", f"import in line {node.lineno}")] = said


def promised(function: Callable[..., Any], name: str, work: Work) -> Callable[..., Any]:
    """The function, whose arguments and result are compared with what its first line says; `work` notes the call."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            given = inspect.signature(function).bind(*arguments, **named).arguments
        except TypeError as error:
            raise NotUsable(
                f"`{name}` is called as the lesson says, and that fails ({error}): keep its arguments"
            ) from None
        work.called = ", ".join(f"{key} = {shown(value)}" for key, value in given.items())
        result = function(*arguments, **named)
        hint = return_hint(function)
        if hint is not None and not fits(result, hint):
            raise NotUsable(f"`{name}` returns {kind(result)}, where its first line promises {said(hint)}")
        return result

    return call


def return_hint(function: Callable[..., Any]) -> Any:
    """What the first line of a function promises to return; None where that is nothing, or cannot be found out."""
    try:
        return typing.get_type_hints(function).get("return")
    except Exception:  # a name in an annotation that is not there
        return None


def fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type; the items of fixed tuples are looked at, too, those of other containers are not."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is float:
        return isinstance(value, numbers.Real) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return isinstance(value, tuple) and len(value) == len(inner) and all(map(fits, value, inner))
    expected = origin or hint
    return not isinstance(expected, type) or isinstance(value, expected)


def shown(value: Any, most: int = 12) -> str:
    """A value in a few words: whole with at most `most` items, otherwise its type and its size."""
    if hasattr(value, "tolist") and hasattr(value, "shape"):  # of torch or numpy
        return shown_array(value, most)
    if value is None or isinstance(value, (bool, int, float, str)):
        text = repr(float(f"{value:.4g}") if isinstance(value, float) else value)
        return text if len(text) <= 60 else f"{text[:57]}..."
    brackets = BRACKETS.get(type(value))
    if brackets and len(value) <= most:
        pairs = isinstance(value, dict)
        items = [f"{shown(key)}: {shown(value[key])}" for key in value] if pairs else map(shown, value)
        return f"{brackets[0]}{', '.join(items)}{brackets[1]}"
    if inspect.isroutine(value):
        return f"`{value.__name__}`"
    return type(value).__name__ + (f" of {len(value)}" if isinstance(value, Sized) else "")


def shown_array(value: Any, most: int) -> str:
    """A tensor or an array in a few words: its shape, and its values if there are at most `most`."""
    if not len(value.shape):
        return shown(value.item())
    size = f"{type(value).__name__} [{','.join(map(str, value.shape))}]"
    return f"{size} {shown(value.tolist())}" if 0 < math.prod(value.shape) <= most else size


def kind(value: object) -> str:
    """A value's type in words."""
    if value is None:
        return "nothing (`None`: is a `return` missing?)"
    if isinstance(value, tuple):
        return f"a tuple of {len(value)} ({', '.join(f'`{type(item).__name__}`' for item in value[:4])})"
    return f"a `{type(value).__name__}`"


def said(hint: Any) -> str:
    """A type as a function's first line writes it, without the modules that it comes from."""
    text = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
    return f"`{text.replace('torch.', '').replace('numpy.', '').replace('typing.', '')}`"
