"""What schema 1 called settings and metrics: a run from before is read with the current names. No torch here."""

from importlib import resources
from typing import Any

import yaml

from ..config import BACKGROUNDS

NAMES = yaml.safe_load((resources.files(__package__) / "schema1.yaml").read_text(encoding="utf-8"))
SETTINGS, LOSSES, STATE = NAMES["settings"], NAMES["metrics"], NAMES["state"]
METRICS = {f"{old}{split}": f"{new}{split}" for old, new in LOSSES.items() for split in ("", "_train", "_test")}


def current_names(tree: Any) -> Any:
    """Metrics, entries of a log, curves or sums of losses, nested in any way, under the current names."""
    if isinstance(tree, dict):
        return {METRICS.get(name, name): current_names(value) for name, value in tree.items()}
    return [current_names(value) for value in tree] if isinstance(tree, list) else tree


def current_settings(raw: dict[str, Any]) -> dict[str, Any]:
    """A configuration of schema 1, as plain types, in schema 2."""
    raw = _renamed(raw)
    if isinstance(data := raw.get("data"), dict):
        backgrounds = data.pop("backgrounds", "")
        data |= {"source": f"{data.get('source', 'cifar10')}{BACKGROUNDS}{backgrounds}"} if backgrounds else {}
    if isinstance(train := raw.get("train"), dict) and isinstance(given := train.get("overrides"), list):
        train["overrides"] = [_override(text) if isinstance(text, str) else text for text in given]
    return raw


def _renamed(node: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    names = {name: SETTINGS.get(f"{prefix}{name}", f"{prefix}{name}").removeprefix(prefix) for name in node}
    return {
        names[name]: _renamed(value, f"{prefix}{name}.") if isinstance(value, dict) else value
        for name, value in node.items()
    }


def _override(text: str) -> str:
    name, equals, value = text.partition("=")
    return f"{SETTINGS.get(name.strip(), name)}{equals}{value}"
