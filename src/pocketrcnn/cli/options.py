"""argparse built from a function: each parameter is an argument of the command, described by its annotation.

`Annotated[type, ..]` holds, where they are needed, a flag that differs from the name, the metavar, and last the help;
a tuple of choices; a function from text to value. Literal types are choices, too. Parameters after `*` are options,
those before it are positional. A parameter whose type is a dataclass stands for its fields; others are no arguments.
"""

import dataclasses
import inspect
from argparse import BooleanOptionalAction, Namespace
from collections.abc import Callable, Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from .parsing import Parser


def parameters(function: Callable[..., Any]) -> Iterator[tuple[inspect.Parameter, Any]]:
    """The parameters of a function or dataclass, with their types."""
    hints = get_type_hints(function, include_extras=True)
    for parameter in inspect.signature(function).parameters.values():
        yield parameter, hints[parameter.name]


def add_arguments(parser: Parser, function: Callable[..., Any]) -> None:
    """Tell a parser the parameters of a function."""
    for parameter, hint in parameters(function):
        if dataclasses.is_dataclass(hint):
            add_arguments(parser, hint)  # type: ignore[arg-type]
        elif get_origin(hint) is Annotated:
            names, settings = described(parameter, *get_args(hint))
            parser.add_argument(*names, **settings)


def described(parameter: inspect.Parameter, kind: Any, *notes: Any) -> tuple[list[str], dict[str, Any]]:
    """The names of a parameter and the settings of its argument, for argparse."""
    default, (*words, text) = parameter.default, [note for note in notes if isinstance(note, str)]
    flag = words.pop(0) if words and words[0].startswith("--") else f"--{parameter.name.replace('_', '-')}"
    settings = {"help": with_default(text, default), **kind_of(kind, notes)} | ({"metavar": words[0]} if words else {})
    if kind == bool | None:
        settings = {"help": text, "action": BooleanOptionalAction}
    if kind is bool:
        flag = f"--no-{parameter.name}" if default else flag
        settings = {"help": text, "action": "store_false" if default else "store_true"}
    if parameter.kind is not parameter.KEYWORD_ONLY:
        return [parameter.name], settings | (
            {} if default is parameter.empty else {"nargs": "*" if settings.get("nargs") else "?"}
        )
    given = {"required": True} if default is parameter.empty else {"default": [] if default == () else default}
    return [flag], settings | given | {"dest": parameter.name}


def kind_of(kind: Any, notes: tuple[Any, ...]) -> dict[str, Any]:
    """Type, number and choices of the words that become a value."""
    if any(map(inspect.isfunction, notes)):
        return {}
    if get_origin(kind) in (Union, UnionType):  # with None
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        return {"action": "append"}  # to a list: `call` makes a tuple of it
    if origin is list:
        return {"nargs": "+", "type": inner[0]}
    choices = inner if origin is Literal else next((note for note in notes if isinstance(note, tuple)), None)
    return {"type": type(inner[0]) if origin is Literal else kind, "choices": choices}


def with_default(text: str, default: Any) -> str:
    """A line of help with the default, where there is one that it does not name."""
    if default in (None, "", (), inspect.Parameter.empty) or "default:" in text:
        return text
    return f"{text} (default: {f'{default:g}' if isinstance(default, float) else default})"


def call(function: Callable[..., Any], arguments: Namespace) -> Any:
    """Call a function with the values of a parsed command line; of what these lack, defaults are left."""
    values = {}
    for parameter, hint in parameters(function):
        name = parameter.name
        if dataclasses.is_dataclass(hint):
            values[name] = call(hint, arguments)  # type: ignore[arg-type]
        elif hasattr(arguments, name):
            value = getattr(arguments, name)
            values[name] = tuple(value) if parameter.default == () else value
            for note in filter(inspect.isfunction, getattr(hint, "__metadata__", ())):
                values[name] = None if values[name] is None else note(values[name])
    return function(**values)
