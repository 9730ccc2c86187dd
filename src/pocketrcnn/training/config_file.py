"""A configuration as YAML, and back. No torch here."""

import dataclasses
import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints

import msgspec
import yaml

from ..config import Config
from ..data.yaml_reading import PlainLoader, parsed
from ..errors import UserError, nearest
from . import schema1
from .limits import LARGEST, LARGEST_WHOLE, LIMITS

SCHEMA = 2  # raised when a saved configuration can no longer be read as it was meant; `schema1` reads the one before
SECTIONS = ("augment", "loss", "model", "optim")  # what `--set` changes, and
SINGLE = ("train.phases", "train.sync_batchnorm", "train.checkpoint_seconds")  # these; the other settings have options
SETTABLE = f"{', '.join((*SECTIONS, *SINGLE[:-1]))} or {SINGLE[-1]}"
ELSEWHERE = {  # settings of SECTIONS that others depend on, and how they are changed
    "model.input_size": "the anchors depend on it, use --input-size",
    "model.classes": "it follows from the data, change the classes there",
}
SYNONYMS = {name: f"--{name}" for name in ("iterations", "minutes", "batch", "seed", "patience")} | {
    "learning_rate": "optim.lr",
    "optimizer": "optim.name",
    "image_size": "--input-size",
    "epochs": "--iterations",
    "batch_size": "--batch",
}
KINDS = dict(
    object="settings", array="a list", int="a whole number", float="a number", str="text", bool="true or false"
)
FLOAT = "tag:yaml.org,2002:float"
INDEX = r"\[\d+\]"  # of an item of a list, in the name of a setting
EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d{1,2}$")  # 1e-3, which YAML 1.1 takes for text: it wants 1.0e-3


class Loader(PlainLoader):
    """Reads numbers like 1e-3 as numbers; refuses those that are not finite, and text with half a character."""

    def finite(self, node: yaml.ScalarNode) -> float:
        """Raises ValueError for `.inf` and `.nan`."""
        value: float = self.construct_yaml_float(node)
        if not math.isfinite(value):
            raise ValueError(f"{node.value} is not a finite number")
        return value

    def whole(self, node: yaml.ScalarNode) -> str:
        """Raises ValueError for `"\\ud800"`, which is no text that msgspec could read and a file could hold."""
        text = str(self.construct_scalar(node))
        if not text.isascii():
            text.encode()  # UnicodeEncodeError is a ValueError
        return text


class Dumper(yaml.SafeDumper):
    """Puts quotes around text that `Loader` would take for a number."""


for kind in (Loader, Dumper):
    kind.add_implicit_resolver(FLOAT, EXPONENT, list("+-0123456789"))
Loader.add_constructor(FLOAT, Loader.finite)
Loader.add_constructor("tag:yaml.org,2002:str", Loader.whole)


def hints(kind: type, prefix: str = "") -> dict[str, Any]:
    """Every section and setting by its dotted name, with its type."""
    named: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        section = next((one for one in (hint, *get_args(hint)) if is_dataclass(one)), None)
        named |= {f"{prefix}{name}": hint} | (hints(section, f"{prefix}{name}.") if section else {})  # type: ignore[arg-type]
    return named


HINTS = hints(Config)


def to_dict(config: Config) -> dict[str, Any]:
    """Plain types only, for YAML, JSON and comparison."""
    whole = dataclasses.asdict(config)  # msgspec alone leaves out what was not given when it read the configuration
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))
    return plain


def saved(config: Config) -> dict[str, Any]:
    """Plain types with the version of the names, for files."""
    return {"schema": SCHEMA, **to_dict(config)}


def dump(config: Config) -> str:
    """The configuration as YAML."""
    return yaml.dump(saved(config), Dumper=Dumper, sort_keys=False)


def load(text: str, where: str) -> Config:
    """Read what `dump` wrote. `where` names the file in error messages."""
    try:
        raw = parsed(text, Loader)
    except ValueError as error:
        raise UserError(f"{where} is not YAML ({error}): restore it or use a new folder") from error
    return from_dict(raw if isinstance(raw, dict) and "schema" in raw else {"schema": None}, where)


def from_dict(raw: dict[str, Any], where: str) -> Config:
    """Read what `saved` made. `where` names the file in error messages."""
    schema = raw.get("schema", 1) if isinstance(raw, dict) else None  # weights of schema 1 do not name it
    if schema not in (1, SCHEMA):
        raise UserError(f"{where} was written by another version of pocketrcnn: use that version or a new folder")
    raw = {name: value for name, value in raw.items() if name != "schema"}
    return _converted(schema1.current_settings(raw) if schema == 1 else raw, where, "restore it or use a new folder")


def override(config: Config, settings: Sequence[str]) -> Config:
    """The configuration with other values, given as `augment.paste=4` or `augment.zoom=[0.8, 1.6]` (YAML).

    Raises UserError for what is not a setting of SECTIONS, one of SINGLE, or a value of it.
    """
    raw = to_dict(config)
    for text in settings:
        node, key = _place(raw, text)
        try:
            node[key] = parsed(text.partition("=")[2], Loader)
        except ValueError as error:
            raise UserError(f"--set {text}: the value is not YAML, write a number, a word or a [list]") from error
    return _converted(raw, "--set", "use another value")


def require_setting(config: Config, text: str) -> None:
    """Raises UserError where `NAME=..` does not name a setting that `override` changes, whatever its value is."""
    _place(to_dict(config), text)


def _place(raw: dict[str, Any], text: str) -> tuple[dict[str, Any], str]:
    """The section of a setting in a configuration, and its name there."""
    name, equals, _ = text.partition("=")
    path, _, key = (name := name.strip()).rpartition(".")
    node: Any = raw
    for part in path.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    if not equals or not _settable(name) or not isinstance(node, dict) or key not in node:
        raise UserError(f"--set {text}: name a setting of {SETTABLE}{_hint(name)}")
    if name in ELSEWHERE:
        raise UserError(f"--set {text}: {name} is not set by name, {ELSEWHERE[name]}")
    return node, key


def _settable(name: str) -> bool:
    return name in SINGLE or ("." in name and name.partition(".")[0] in SECTIONS)


def _hint(name: str) -> str:
    """What was meant: by another word for it, by its name in another section, or by a small slip; else an example."""
    known = [full for full in HINTS if _settable(full)]
    key, sections = name.rpartition(".")[2], {full.rpartition(".")[2]: full for full in known}
    near = difflib.get_close_matches(name, known, 1, 0.8)
    meant = SYNONYMS.get(key) or schema1.SETTINGS.get(name) or sections.get(key) or "".join(near)
    return f" (did you mean `{meant}`?)" if meant and meant != name else ", as in augment.paste=4"


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted names."""
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        leaves |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return leaves


def _converted(raw: dict[str, Any], where: str, remedy: str) -> Config:
    """Plain types as a Config. Raises UserError with the setting, why it cannot be used, and the remedy."""
    _require_known(raw, where)
    try:
        config = msgspec.convert(raw, Config)
        _require_possible(dataclasses.asdict(config), where, remedy)
        return config
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, UserError):  # from a check of the dataclass itself
            raise error.__cause__ from None
        reason, _, path = str(error).replace("`", "").replace(" | null", "").rpartition(" - at $.")
        if reason.startswith("Expected"):
            reason = re.sub("|".join(rf"\b{name}\b" for name in KINDS), lambda match: KINDS[match[0]], reason)
        else:
            reason += f", expected one of {', '.join(map(repr, _words(HINTS.get(re.sub(INDEX, '', path)))))}"
        raise UserError(f"{where}, {path}: {reason[0].lower()}{reason[1:]}; {remedy}") from error


def _require_possible(tree: dict[str, Any], where: str, remedy: str) -> None:
    """Raises UserError for a number that no network and no run can have."""
    for name, value in flat(tree).items():
        for number in _numbers(value):
            limit = LIMITS.get(name, LARGEST_WHOLE if isinstance(number, int) else LARGEST)
            if not abs(number) <= limit:  # nor is NaN
                raise UserError(
                    f"{where}, {name}: {str(number)[:20]} is no possible value, at most {limit:g}; {remedy}"
                )


def _numbers(value: Any) -> list[int | float]:
    """The numbers in a setting, which may be nested."""
    if isinstance(value, dict | list | tuple):
        inner = value.values() if isinstance(value, dict) else value
        return [number for one in inner for number in _numbers(one)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def _words(hint: Any) -> tuple[Any, ...]:
    """The values of a Literal, or of the items of a tuple of them."""
    first, *rest = get_args(hint) or (None,)
    return _words(first) if rest == [...] else (first, *rest)


def _require_known(raw: dict[str, Any], where: str, prefix: str = "") -> None:
    """Raises UserError for a setting that there is not."""
    for name, value in raw.items():
        if f"{prefix}{name}" not in HINTS:
            near = nearest(str(name), [full.removeprefix(prefix) for full in HINTS if full.startswith(prefix)])
            section = ", ".join(filter(None, (where, prefix[:-1])))
            raise UserError(f"{section} has the unknown setting `{name}`{near}: was another version used?")
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                _require_known(inner, where, f"{prefix}{name}.")
