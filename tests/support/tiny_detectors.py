"""Detectors for tests: a run that learned nothing in two iterations, and one that finds what is bright."""

from __future__ import annotations

import os
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch
from datasets_on_disk import coco
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from pocketrcnn.config import ModelConfig
from pocketrcnn.custom.detector import Detector
from pocketrcnn.custom.options import TrainOptions
from pocketrcnn.custom.train import train
from pocketrcnn.model.structures import Detections
from pocketrcnn.training.checkpoint import load_tensors, save_tensors

SCENE = ((64, 64), [("cat", (4.0, 8.0, 24.0, 32.0)), ("dog", (30.0, 30.0, 60.0, 54.0))])


def tiny_run(factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of two iterations, classes cat and dog, input 64 px; trained once for all tests.

    It knows nothing: its guesses have scores close to 0, and none is held back.
    """
    root = factory.getbasetemp() / "tiny-run"
    if root.exists():
        return root / "run"
    data = coco(root / "data", {f"{i}.png": SCENE for i in range(6)})
    with patch.dict(os.environ, {"POCKETRCNN_DATA": str(root / "cache")}):
        options = TrainOptions(
            data, iterations=2, batch=2, input_size=64, preset="small", out=root / "run", device="cpu"
        )
        run = train(options)
    hold_nothing_back(run)
    settings = (run / "config.yaml").read_text(encoding="utf-8")
    (run / "config.yaml").write_text(settings.replace("min_score: 0.01", "min_score: 0.0"), encoding="utf-8")
    return run


def hold_nothing_back(run: Path) -> None:
    """Let the weights of a run guess with any score: after a few iterations all are close to 0."""
    tensors, metadata = load_tensors(run / "weights.safetensors")
    metadata["config"]["model"]["min_score"] = 0.0
    save_tensors(run / "weights.safetensors", tensors, metadata)


class Bright(nn.Module):
    """Says that the bright part of each frame is one object, and which frames it saw last."""

    def __init__(self, side: int, score: float) -> None:
        super().__init__()
        self.config, self.score, self.seen = ModelConfig(input_size=side), score, torch.empty(0)
        self.register_buffer("mean", torch.zeros(1))

    def __deepcopy__(self, memo: dict[int, object]) -> Bright:
        """Itself: what a copy saw is what it saw."""
        return self

    def detect(self, images: Tensor) -> Detections:
        """Boxes around what is brighter than 200: [B,2], the second always empty."""
        self.seen = images
        corners = torch.zeros(len(images), 2, 4)
        labels = torch.full((len(images), 2), -1)
        for i, image in enumerate(images):
            y, x = (image[0] > 200).nonzero(as_tuple=True)
            if len(x):
                corners[i, 0] = torch.tensor([x.min(), y.min(), x.max() + 1, y.max() + 1])
                labels[i, 0] = 1
        return Detections(corners, (labels >= 0) * self.score, labels)


def bright_detector(side: int = 64, score: float = 0.75) -> Detector:
    """A detector of white objects, all of them dogs."""
    return Detector(Bright(side, score), ("cat", "dog"))  # type: ignore[arg-type]


def scene(size: tuple[int, int], box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """A black image of (width, height) in which one box is white."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 255
    return image


def saved(path: Path, image: NDArray[np.uint8]) -> Path:
    """The image as a file, its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return path
