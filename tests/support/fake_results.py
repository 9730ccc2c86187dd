"""A complete `results.json` made by code: realistic numbers, synthetic pictures, the same every time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from pocketrcnn.course.observations import OBSERVATIONS, ON_PROCESSOR
from pocketrcnn.course.observed import observe
from pocketrcnn.report.marks import png_uri

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
PUBLISHED = {
    "B1": 0.646, "B2": 0.516, "B3": 0.684, "B5": 0.68, "R1": 0.99, "R2": 0.000727,
    "F2": 0.5846, "F3": 0.4353, "F4": 0.6366,
}  # fmt: skip
TITLES = {
    "B1": "ConvNet", "B2": "MobileNet", "B3": "ResNet", "B5": "Base network",
    "R1": "Proposal classifier", "R2": "Proposal regressor",
    "F2": "Detector, ConvNet base", "F3": "Detector, MobileNet base", "F4": "Detector, ResNet base",
}  # fmt: skip
FINAL = {"B1": 0.702, "B2": 0.604, "B3": 0.758, "B5": 0.711, "F2": 0.632, "F3": 0.511, "F4": 0.689}
BLOCKS = {
    "B1": "conv", "B2": "separable", "B3": "residual", "B5": "conv", "R1": "conv", "R2": "conv", "F2": "conv",
    "F3": "separable", "F4": "residual",
}  # fmt: skip
STEP = {
    "B1": 0.105,
    "B2": 0.071,
    "B3": 0.158,
    "B5": 0.09,
    "R1": 0.118,
    "R2": 0.121,
    "F2": 0.203,
    "F3": 0.151,
    "F4": 0.287,
}
HARDWARE = {
    "processor": "Intel Xeon Platinum 8481C",
    "cores": 2,
    "threads": 2,
    "memory_gb": 23.5,
    "device": "cpu",
    "system": "Linux x86_64",
    "precision": "bfloat16",
}
VERSIONS = {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.3.4", "pocketrcnn": "0.1.0"}


def results(
    ids: tuple[str, ...] = tuple(PUBLISHED),
    recipes: tuple[str, ...] = ("pocket",),
    *,
    seeds: int = 2,
    data: str = "cifar10",
    iterations: int = 400,
    seed: int = 0,
) -> dict[str, Any]:
    """A whole file with these experiments. seed: of the made-up numbers, and the first of the runs."""
    rng = np.random.default_rng(seed)
    records = [record(id, recipe, seeds, iterations, rng) for recipe in recipes for id in ids]
    for entry in records:
        entry["report"] = None if data == "sample" else entry["report"]
        entry["seeds"] = [seed + i for i in entry["seeds"]]
    return {
        "schema": 1, "version": "0.1.0", "created": "2026-11-22T19:00:00Z", "data": data, "schedule": "short",
        "command": "pocketrcnn reproduce", "hardware": HARDWARE, "versions": VERSIONS, "seconds_total": 640.2,
        "peak_memory_gb": 1.4, "experiments": records,
    }  # fmt: skip


def record(id: str, recipe: str, seeds: int, iterations: int, rng: np.random.Generator) -> dict[str, Any]:
    """One experiment under one recipe."""
    final = FINAL.get(id, 0.0) - (0.03 if recipe == "course" else 0.0)
    metrics = {name: stat(value * rng.normal(1, 0.003, seeds)) for name, value in _metrics(id, final).items()}
    headline = {"R1": "objectness_accuracy", "R2": "box_loss"}.get(id, "accuracy")
    listed = layers(id)
    better = "lower" if id == "R2" else "higher"
    mean = metrics[headline]["mean"]
    beaten = mean < PUBLISHED[id] if better == "lower" else mean > PUBLISHED[id]
    return {
        "id": id, "title": TITLES[id], "recipe": recipe, "iterations": iterations, "batch": 100,
        "seeds": list(range(seeds)), "data": _data(id, recipe),
        "metrics": metrics, "headline": headline,
        "report": {"value": PUBLISHED[id], "better": better, "beaten": bool(beaten)},
        "seconds": stat(STEP[id] * iterations * rng.normal(1, 0.01, seeds)),
        "multiplications": sum(la["multiplications"] for la in listed if la["kind"] != "linear"),
        "parameters": parameters(listed), "layers": listed,
        "curves": _curves(id, final, seeds, iterations, rng), "pictures": _pictures(id, rng),
        "command": f"pocketrcnn reproduce --only {id} --recipe {recipe}", "versions": VERSIONS, "hardware": HARDWARE,
    }  # fmt: skip


def _data(id: str, recipe: str) -> dict[str, str]:
    scenes, fixed = (", fixed scenes" if recipe == "course" else ", fresh scenes", ", fixed scenes")
    train, test = (scenes, fixed) if id[0] in "RF" else ("", "")
    return {"train": f"CIFAR-10, training batch 1{train}", "test": f"CIFAR-10, test batch{test}"}


def stat(values: NDArray[np.float64]) -> dict[str, Any]:
    """n, mean, standard deviation (0 for one value) and the values."""
    n = len(values)
    deviation = float(values.std(ddof=1)) if n > 1 else 0.0
    return {"n": n, "mean": float(values.mean()), "std": deviation, "values": values.tolist()}


def _metrics(id: str, final: float) -> dict[str, float]:
    metrics = {"accuracy": final} if id[0] in "BF" else {}
    if id[0] in "RF":
        metrics |= {
            "objectness_accuracy": 0.9932, "objectness_positive_accuracy": 0.991,
            "objectness_negative_accuracy": 0.9935, "loss_objectness": 0.004,
        }  # fmt: skip
    if id[0] in "RF" and id != "R1":
        metrics |= {
            "box_loss": 0.000412,
            "pixel_error": 0.53,
            "mean_iou": 0.955,
            "recall_50": 0.99,
            "recall_70": 0.988,
            "recall_90": 0.93,
        }
    return metrics


def layers(id: str) -> list[dict[str, Any]]:
    """The layers of Table 1 or Table 2, with the heads, at the costs of the formulas."""
    table2 = id[0] in "RF" or id == "B5"
    side, channels, rows = (48 if id[0] in "RF" else 32), 3, []
    for stage, width in enumerate((32, 64, 128, *(() if table2 else (256,))), 1):
        rows += _block(BLOCKS[id], f"conv{stage}", (channels, width), side)
        channels, side = width, side // 2
    if not table2:
        return [*rows, _conv("conv5.0.0", 3, (channels, 512), 2), _linear("head.classify", 512)]
    rows.append(_conv("conv4.0.0", 3, (channels, 256), side))
    if id == "B5":
        return [*rows, _linear("head.classify", 256)]
    rows += [
        _conv("rpn.intermediate.0", 3, (256, 256), side),
        _conv("rpn.objectness", 1, (256, 1), side),
    ]
    if id != "R1":
        rows.append(_conv("rpn.box", 1, (256, 3), side))
    if id[0] == "F":
        rows += [_conv("head.hidden", 4, (256, 256), 1), _linear("head.classify", 256)]
    return rows


def _block(kind: str, stage: str, channels: tuple[int, int], side: int) -> list[dict[str, Any]]:
    inputs, outputs = channels
    if kind == "conv":
        return [_conv(f"{stage}.0.0", 5, channels, side)]
    if kind == "separable":
        depthwise = _conv(f"{stage}.depthwise.0", 5, (inputs, inputs), side)
        depthwise |= {"kind": "depthwise", "multiplications": 25 * inputs * side * side, "parameters": 25 * inputs}
        return [depthwise, _conv(f"{stage}.pointwise.0", 1, channels, side)]
    return [
        _conv(f"{stage}.first.0", 3, channels, side) | {"trained": stage != "conv1"},
        _conv(f"{stage}.second.0", 3, (outputs, outputs), side),
        _conv(f"{stage}.shortcut.0", 1, channels, side),
    ]


def _conv(name: str, kernel: int, channels: tuple[int, int], side: int) -> dict[str, Any]:
    inputs, outputs = channels
    weights = kernel * kernel * inputs * outputs
    return {
        "name": name, "stage": name.partition(".")[0] if name.startswith("conv") else name,
        "kind": "pointwise" if kernel == 1 else "convolution", "kernel": [kernel, kernel],
        "in_channels": inputs, "out_channels": outputs, "output": [side, side],
        "multiplications": weights * side * side, "parameters": weights, "trained": True,
    }  # fmt: skip


def _linear(name: str, inputs: int) -> dict[str, Any]:
    return _conv(name, 1, (inputs, 10), 1) | {"kind": "linear", "parameters": 10 * inputs + 10}


def parameters(listed: list[dict[str, Any]]) -> int:
    """Those of the layers, and scale and shift of the BatchNorm behind every convolution that has one."""
    plain = ("rpn.objectness", "rpn.box", "head.classify")
    norms = sum(2 * layer["out_channels"] for layer in listed if layer["name"] not in plain)
    return norms + sum(layer["parameters"] for layer in listed)


def _curves(id: str, final: float, seeds: int, iterations: int, rng: np.random.Generator) -> dict[str, Any]:
    evaluated = np.linspace(iterations / 20, iterations, 20)

    def curve(x: NDArray[Any], first: float, last: float, pace: float, noise: float) -> dict[str, Any]:
        level = last + (first - last) * np.exp(-pace * x / iterations)
        rows = [(level * np.exp(noise * rng.normal(size=len(x)))).tolist() for _ in range(seeds)]
        return {"x": x.astype(int).tolist(), "y": rows}

    curves = {"loss_total_train": curve(evaluated, 2.4, 0.5, 5, 0.05)}
    if id[0] in "BF":
        curves |= {
            "accuracy_train": curve(evaluated, 0.12, final + 0.15, 4, 0.008),
            "accuracy_test": curve(evaluated, 0.12, final, 5, 0.01),
        }
    if id[0] in "RF":
        curves |= {"loss_objectness_train": curve(evaluated, 0.7, 0.004, 18, 0.1)}
        curves |= {f"objectness_accuracy_{s}": curve(evaluated, 0.7, 0.988, 14, 0.001) for s in ("train", "test")}
    if id[0] in "RF" and id != "R1":
        curves |= {"loss_box_train": curve(evaluated, 0.3, 0.0004, 14, 0.15)}
        curves |= {f"box_loss_{s}": curve(evaluated, 0.2, 0.000412, 12, 0.05) for s in ("train", "test")}
        curves |= {
            "pixel_error_test": curve(evaluated, 9, 0.53, 10, 0.02),
            "mean_iou_test": curve(evaluated, 0.5, 0.955, 9, 0.004),
        }
    if id[0] == "F":
        curves |= {"loss_classification_train": curve(evaluated, 2.3, 0.35, 4, 0.06)}
    return curves


def _pictures(id: str, rng: np.random.Generator) -> dict[str, Any]:
    pictures: dict[str, Any] = {}
    if id in ("R2", "F2"):
        pictures["rois"] = {split: _rois(rng) for split in ("train", "test")}
    if id[0] == "F":
        pictures["detections"] = [_detection(rng, right) for right in (True, False) for _ in range(8)]
    return pictures


def scene(rng: np.random.Generator) -> tuple[NDArray[np.uint8], list[float]]:
    """A shaded disc on a striped background, 48x48, and its box."""
    side = float(rng.uniform(24, 40))
    x, y = rng.uniform(side / 2, 48 - side / 2, 2)
    rows, columns = np.mgrid[0:48, 0:48] + 0.5
    stripes = 0.5 + 0.5 * np.sin((rows * rng.normal() + columns * rng.normal()) / 3)
    image = stripes[..., None] * rng.uniform(40, 160, 3) + rng.normal(0, 9, (48, 48, 3))
    distance = np.hypot(rows - y, columns - x) / (side / 2)
    disc = (1.15 - 0.6 * distance)[..., None] * rng.uniform(90, 220, 3)
    image = np.where((distance < 1)[..., None], disc, image)
    return image.clip(0, 255).astype(np.uint8), [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def _crop(image: NDArray[np.uint8], box: list[float]) -> str:
    x1, y1, x2, y2 = box
    place = [np.clip((a + (np.arange(32) + 0.5) * (b - a) / 32).astype(int), 0, 47) for a, b in ((y1, y2), (x1, x2))]
    return png_uri(image[np.ix_(*place)])


def _rois(rng: np.random.Generator) -> dict[str, Any]:
    scenes = [scene(rng) for _ in range(8)]
    guesses = [(np.array(box) + rng.normal(0, 0.7, 4)).tolist() for _, box in scenes]
    return {
        "originals": [png_uri(image) for image, _ in scenes],
        "truth_boxes": [box for _, box in scenes],
        "predicted_boxes": guesses,
        "truth_crops": [_crop(image, box) for image, box in scenes],
        "predicted_crops": [_crop(image, guess) for (image, _), guess in zip(scenes, guesses, strict=True)],
        "labels": [CLASSES[i] for i in rng.integers(0, 10, 8)],
    }


def _detection(rng: np.random.Generator, right: bool) -> dict[str, Any]:
    image, truth = scene(rng)
    label = int(rng.integers(0, 10))
    other = (label + int(rng.integers(1, 10))) % 10
    return {
        "image": png_uri(image),
        "truth_box": truth,
        "label": CLASSES[label],
        "box": (np.array(truth) + rng.normal(0, 0.8, 4)).tolist(),
        "predicted": CLASSES[label if right else other],
        "score": float(rng.uniform(0.4, 0.99)),
        "iou": float(1 - math.fabs(rng.normal(0, 0.05))),
        "right": right,
    }


def observed(
    id: str, recipe: str = "course", seeds: int = 3, values: Mapping[str, Mapping[str, Sequence[float]]] | None = None
) -> dict[str, Any]:
    """One observation with made-up values of its arms, by arm and measure; those not given differ a little by arm."""
    observation, rng = OBSERVATIONS[id], np.random.default_rng(1)
    measures = {side.measure for one in observation.comparisons for side in (one.left, one.right)}
    measures |= set(observation.measures)
    if observation.timed:
        measures = {time.name for time in ON_PROCESSOR}
    made = {
        arm: {name: (_level(name, i) * rng.normal(1, 0.01, seeds)).tolist() for name in sorted(measures)}
        for i, arm in enumerate(observation.arms)
    }
    for arm, given in (values or {}).items():
        made[arm] |= {name: list(row) for name, row in given.items()}
    facts = {
        "iterations": dict.fromkeys(observation.arms, 500),
        "command": f"pocketrcnn reproduce --only {id} --recipe {recipe} --seeds {seeds}",
        "environment": {"versions": VERSIONS, "hardware": HARDWARE},
    }
    return cast("dict[str, Any]", msgspec.to_builtins(observe(observation, recipe, made, facts)))


def _level(measure: str, number: int) -> float:
    """A plausible value of a measure for the arm of this number."""
    if measure.startswith("ninety"):
        return 60.0 if "objectness" in measure or "box" in measure or "iou" in measure else 240.0
    if measure.startswith(("training_1", "training_2", "prediction")):
        return (100.0, 70.0, 150.0)[number % 3] * (0.02 if "_1_" in measure or "_2_" in measure else 1.0)
    return {"training_accuracy": 0.75, "mean_iou": 0.9}.get(measure, 0.55 + 0.012 * number)
