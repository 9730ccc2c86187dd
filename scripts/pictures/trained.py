"""What trained networks say of test images, as plain numbers beside the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pocketrcnn.custom.detector import class_names
from pocketrcnn.data.custom_data import open_custom_data
from pocketrcnn.data.images.letterbox import letterbox
from pocketrcnn.data.images.pixels import read_image
from pocketrcnn.evaluation.thresholds import DEFAULT_THRESHOLD
from pocketrcnn.model.faster_rcnn import FasterRCNN
from pocketrcnn.model.structures import Detections
from pocketrcnn.training.run import open_finished

Numbers = dict[str, Any]
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Trained:
    """A finished run: its network, class names and threshold, and how it came to be."""

    model: FasterRCNN
    classes: tuple[str, ...]
    threshold: float
    side: int
    run: Any
    made: Numbers


@dataclass(frozen=True)
class Scene:
    """A test image in the frame of a network, uint8 [S,S,3], with its objects in pixels of the frame."""

    name: str
    pixels: Pixels
    objects: list[list[float]]
    labels: list[int]

    @property
    def tensor(self) -> torch.Tensor:
        """What the network takes: uint8 [1,3,S,S]."""
        return torch.from_numpy(self.pixels.copy()).permute(2, 0, 1)[None]


def load(folder: Path) -> Trained:
    """The network of a run. Raises UserError where there is none, or it is not finished."""
    run = open_finished(folder, "cpu")
    metrics, environment = run.metrics() or {}, run.environment()
    made = {
        "command": command(run.config),
        "iterations": metrics["iterations"],
        "minutes": round(metrics["elapsed"] / 60, 2),
        "seed": run.config.train.seed,
        "version": environment["versions"]["pocketrcnn"],
        "torch": environment["versions"]["torch"],
        "processor": environment["hardware"]["processor"],
    }
    model, threshold = run.load_model()
    chosen = DEFAULT_THRESHOLD if threshold is None else threshold
    return Trained(model, class_names(run.config), chosen, run.config.model.input_size, run, made)


def command(config: Any) -> str:
    """The command that makes such a run."""
    if config.data.kind != "folder":
        return "pocketrcnn reproduce"
    minutes, iterations = config.train.minutes, config.train.iterations
    length = f"--minutes {minutes:g}" if minutes else f"--iterations {iterations}"
    return f"pocketrcnn train {Path(config.data.source).name} {length}"


def scenes(trained: Trained) -> list[Scene]:
    """The test images of a run on annotated images, in the order of their names."""
    annotations = open_custom_data(trained.run.config.data).annotations
    examples = sorted(annotations.split("test") or annotations.split("val"), key=lambda example: example.path.name)
    return [scene(example, trained) for example in examples]


def scene(example: Any, trained: Trained) -> Scene:
    """One annotated image as the network sees it."""
    pixels, (across, down) = letterbox(read_image(example.path), trained.side)
    objects = [[x1 * across, y1 * down, x2 * across, y2 * down] for x1, y1, x2, y2 in (o.box for o in example.objects)]
    return Scene(example.path.name, pixels, objects, [trained.classes.index(o.name) for o in example.objects])


@torch.no_grad()
def detections(model: FasterRCNN, scene: Scene, threshold: float, count: int | None = None) -> Numbers:
    """The detections in a scene, best first: those from a threshold on, or the best so many."""
    found: Detections = model.detect(scene.tensor)[0]
    keep = int((found.scores >= threshold).sum()) if count is None else count
    return {
        "boxes": rounded(found.boxes[:keep]),
        "scores": [round(score, 4) for score in found.scores[:keep].tolist()],
        "labels": found.labels[:keep].tolist(),
    }


def rounded(boxes: torch.Tensor) -> list[list[float]]:
    """Boxes to a hundredth of a pixel."""
    return [[round(value, 2) for value in box] for box in boxes.tolist()]
