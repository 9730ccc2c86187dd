"""A configuration as YAML, and back. No torch here."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml

from ..config import Config
from ..errors import UserError, nearest, require

SECTIONS = ("augment", "loss", "model", "optim")  # what may be overruled by name; the rest has options of its own
ELSEWHERE = {  # settings of SECTIONS that others depend on, and how they are changed
    "model.image": "the anchors depend on it, use --input-size",
    "model.classes": "it follows from the data, change the classes there",
}
SCHEMA = 1  # raised when a saved configuration can no longer be read as it was meant


def to_dict(config: Config) -> dict[str, Any]:
    """Plain types only, for YAML, JSON and comparison."""
    plain: dict[str, Any] = yaml.safe_load(yaml.safe_dump(_plain(config)))
    return plain


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return list(value) if isinstance(value, tuple) else value


def dump(config: Config) -> str:
    """The configuration as YAML, with the version of its layout."""
    return yaml.safe_dump({"schema": SCHEMA, **to_dict(config)}, sort_keys=False)


def load(text: str, where: str) -> Config:
    """Read what `dump` wrote. `where` names the file in error messages."""
    try:
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(
            f"{where} is not YAML ({str(error).splitlines()[0]}): restore it or use a new folder"
        ) from error
    if not isinstance(raw, dict) or raw.pop("schema", None) != SCHEMA:
        raise UserError(f"{where} was written by another version of pocketrcnn: use that version or a new folder")
    return from_dict(raw, where)


def from_dict(raw: Any, where: str) -> Config:
    """Read what `to_dict` made. `where` names the file in error messages."""
    config: Config = _build(Config, raw, where)
    return config


def overruled(config: Config, settings: Sequence[str]) -> Config:
    """The configuration with other values, given as `augment.paste=4` or `augment.zoom=[0.8, 1.6]` (YAML).

    Raises UserError for what is not a setting of SECTIONS, or not a value of it.
    """
    raw = to_dict(config)
    for text in settings:
        name, equals, value = text.partition("=")
        section, _, key = name.strip().rpartition(".")
        node = _node(raw, section.split("."))
        if not equals or section.split(".")[0] not in SECTIONS or node is None or key not in node:
            known = [full for full in flat(raw) if full.split(".")[0] in SECTIONS]
            hint = nearest(name.strip(), known) or f", as in {known[0]}=VALUE"
            raise UserError(f"--set {text}: name a setting of {', '.join(SECTIONS)}{hint}")
        if name.strip() in ELSEWHERE:
            raise UserError(f"--set {text}: {name.strip()} is not set by name, {ELSEWHERE[name.strip()]}")
        try:
            node[key] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError) as error:  # a date that does not exist is a ValueError
            raise UserError(f"--set {text}: the value is not YAML, write a number, a word or a [list]") from error
    return from_dict(raw, "--set")


def _node(raw: dict[str, Any], path: Sequence[str]) -> dict[str, Any] | None:
    """The settings under a path of names, None where there are none."""
    for name in path:
        raw = raw.get(name) if isinstance(raw, dict) else None  # type: ignore[assignment]
    return raw if isinstance(raw, dict) else None


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted names."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def _build(kind: Any, raw: Any, where: str) -> Any:
    if not isinstance(raw, dict):
        raise UserError(f"{where} needs a section of settings where it has {raw!r}: restore it or use a new folder")
    hints = get_type_hints(kind)
    for name in raw:
        if name not in hints:
            raise UserError(
                f"{where} has the unknown setting `{name}`{nearest(str(name), hints)}: was another version used?"
            )
    return kind(**{name: _convert(hints[name], value, f"{where}, {name}") for name, value in raw.items()})


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, options = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return None if value is None else _convert(next(o for o in options if o is not type(None)), value, where)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where)
    if origin is Literal:
        require(value in options, f"{where}: {value!r} is none of {', '.join(map(repr, options))}")
        return value
    if origin is tuple:
        require(isinstance(value, list), f"{where}: {value!r} is not a list of numbers")
        wanted = len(value) if options[-1] is Ellipsis else len(options)
        require(len(value) == wanted, f"{where}: {value!r} has {len(value)} numbers, use {wanted}")
        return tuple(_convert(options[0], item, where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is float and isinstance(value, str):
        value = _number(value)
    require(type(value) is hint, f"{where}: {value!r} is not of type {hint.__name__}")
    return value


def _number(text: str) -> float | str:
    """What YAML takes for text though it is a number, as 1e-3; any other text as it is."""
    try:
        value = float(text)
    except ValueError:
        return text
    return value if math.isfinite(value) else text
