"""Summaries of runs that never were: what `run_summary` collects, with real evaluations of made-up boxes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from PIL import Image

from pocketrcnn.config import Config, DataConfig, ModelConfig, ROIConfig, RPNConfig, TrainConfig
from pocketrcnn.custom.report.pictures import marks, picture_uri
from pocketrcnn.custom.report.summary import histogram
from pocketrcnn.data.boxes import Boxes
from pocketrcnn.evaluation.average_precision import evaluate
from pocketrcnn.evaluation.outcomes import outcomes
from pocketrcnn.training import config_file

SIDE = 128
HARDWARE = {"processor": "some processor", "cores": 2, "threads": 1, "device": "cpu", "precision": "float32"}


def names(classes: int) -> list[str]:
    """Names of classes, some of which a careless page would trip over."""
    odd = ["клетка", "<script>alert(1)</script>", "a $ and a $", "日本の猫", '`code` & "quotes"', "x" * 60]
    return [*odd, *(f"class {i}" for i in range(classes))][:classes]


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    leaves: dict[str, Any] = {}
    for name, value in tree.items():
        leaves |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return leaves


def run(
    classes: int = 2, images: int = 4, objects: int = 3, *, name: str = "my run", seed: int = 0, points: int = 4
) -> dict[str, Any]:
    """A finished run with `objects` objects an image, about half of which are detected."""
    labels = names(classes)
    rpn = RPNConfig(anchors=((8.0, 8.0), (16.0, 24.0)), box_dims=4, candidates=20, proposals=20)
    config = Config(
        DataConfig("somewhere", "folder", tuple(labels)),
        model=ModelConfig(
            rpn=rpn, roi=ROIConfig("transformer", background=True, refine=True), input_size=SIDE, classes=classes
        ),
        train=TrainConfig(seed=seed, monitor="AP"),
    )
    random = np.random.default_rng(seed)
    truth, detected = boxes(random, classes, images, objects)
    evaluation = evaluate(truth, detected, labels, [f"{i}.png" for i in range(images)], data="somewhere", split="val")
    known = outcomes(truth, detected, classes, evaluation.max_detections)
    seen = [picture(random, i) | marks(one, 0.0) for i, one in enumerate(known)]
    shown = {"split": "val", "of": images, "lowest": 0.0, "classes": labels}
    return {
        "schema": 1,
        "version": "0.0.0",
        "created": "2026-01-01T00:00:00Z",
        "name": name,
        "command": "pocketrcnn train somewhere --iterations 100 --out 'my run'",
        "settings": flat(config_file.to_dict(config)),
        "parameters": 123_456,
        "versions": {"python": "3.11", "torch": "2.4"},
        "hardware": HARDWARE,
        "points": [point(i + 1, points) for i in range(points)],
        "metrics": {"iterations": 100, "seconds": 61.0, "metrics": {}},
        "evaluations": {"val": json.loads(json.dumps(vars(evaluation)))},
        "data": data(labels, images, objects),
        "pictures": {**shown, "threshold": evaluation.confusion["threshold"], "images": seen},
        "speed": {"milliseconds": 12.3, "images": 8, "threads": 1},
        "missing": "",
    }


def boxes(random: Any, classes: int, images: int, objects: int) -> tuple[list[Boxes], list[Boxes]]:
    """Objects at random, and detections of half of them, a little off, with some that are false."""
    truth, detected = [], []
    for _ in range(images):
        corners = random.uniform(0, SIDE * 0.8, (objects, 2))
        wanted = np.concatenate([corners, corners + random.uniform(4, SIDE * 0.2, (objects, 2))], 1)
        labels = random.integers(0, classes, objects)
        truth.append(Boxes(wanted, labels))
        half = slice(0, (objects + 1) // 2)
        detected.append(
            Boxes(wanted[half] + 0.5, (labels[half] * 3) % classes, random.uniform(0.2, 1, len(wanted[half])))
        )
    return truth, detected


def point(number: int, count: int) -> dict[str, Any]:
    losses = {f"loss_{name}": 2.0 / number for name in ("objectness", "box", "classification", "box_regression")}
    shares = {name: number / (count + 1) for name in ("accuracy", "recall_50", "recall_70", "objectness_accuracy")}
    precision = {"AP": 0.1 * number, "AP50": 0.2 * number, "AP75": 0.05 * number}
    return {
        "iteration": 25 * number,
        "train": {**losses, **shares, "loss_total": 8.0 / number},
        "test": {**losses, **shares, **precision},
    }


def picture(random: Any, number: int) -> dict[str, Any]:
    image = random.integers(0, 255, (SIDE // 8, SIDE // 8, 3), np.uint8)
    larger = np.asarray(Image.fromarray(image).resize((SIDE, SIDE)))
    return {"name": f"val/<{number}> & ёж.png", "size": [SIDE, SIDE], "image": picture_uri(larger)}


def data(labels: list[str], images: int, objects: int) -> dict[str, Any]:
    side = {"min": 4.0, "median": 12.0, "max": 25.0} if objects else None
    shapes = {
        "objects": objects * images,
        "boxes": [[8.0, 9.0], [20.0, 12.5]],
        "sides": histogram(np.array([4.0, 12.0, 25.0]), by_ratio=True),
        "median_side": 12.0,
        "anchors": [[8.0, 8.0], [16.0, 24.0]],
        "overlaps": {"edges": [0.0, 0.5, 1.0], "counts": [1, 2]},
        "mean_overlap": 0.7,
        "recall": {"0.5": 0.9, "0.7": 0.6},
    }
    return {
        "format": "coco",
        "data": "somewhere",
        "crowds": 0,
        "images_without_objects": 0 if objects else images,
        "image_sizes": [{"width": SIDE, "height": SIDE, "images": images}],
        "different_sizes": 1,
        "dropped": 1,
        "left_out": {"objects": 1, "of": 12, "kind": "outside"},
        "faults": {"zero-size": 1},
        "splits": {"train": {"images": images, "objects": objects * images}, "val": {"images": 1, "objects": objects}},
        "classes": [{"name": name, "objects": {"train": objects, "val": 0}, "side": side} for name in labels],
        "per_image": {**histogram(np.full(images, float(objects))), "max": objects},
        "shapes": shapes if objects else None,
    }
