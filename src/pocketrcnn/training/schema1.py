"""What schema 1 called settings and metrics: a run from before is read with the current names. No torch here."""

from typing import Any

from ..config import BACKGROUNDS

SETTINGS = {
    "model.image": "model.input_size",
    "model.rpn.training_part": "model.rpn.training_fraction",
    "model.roi.positive_part": "model.roi.positive_fraction",
    "loss.object": "loss.classification",
    "loss.refine": "loss.box_regression",
    "train.curve_images": "train.evaluation_images",
    "train.overruled": "train.overrides",
}
LOSSES = {"loss_object": "loss_classification", "loss_refine": "loss_box_regression"}
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
