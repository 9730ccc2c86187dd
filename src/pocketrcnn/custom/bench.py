"""`pocketrcnn bench train`: how fast a custom detector trains, and how much memory a large data set takes.

Everything is included: reading the batch, augmentation, forward, backward, optimiser. The large data set is generated,
opened like any other, and trained on.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..config import Config, DataConfig, replace
from ..data.annotations import Annotations, Example, Object
from ..data.crops import Crops
from ..data.custom_data import open_custom_data
from ..data.folders import open_folder
from ..training.device import choose_precision, keep_memory
from ..training.loop import Trainer
from ..training.machine import environment, peak_memory_gb
from ..training.timing import alternate
from .plan import learned_classes, plan_data, with_preset

SIDE, OBJECTS = 256, 30  # pixels, objects per generated image: about those of nuclei


def drawn(
    folder: Path, count: int, side: int = SIDE, objects: int = OBJECTS, different: int | None = None
) -> Annotations:
    """`count` JPEG images of smooth noise, each with so many objects of 10 to 30 pixels. different: files (all)."""
    random = np.random.default_rng(0)
    examples = []
    for number in range(count):
        path = folder / f"{number % (different or count):06d}.jpg"
        if number < (different or count):
            coarse = Image.fromarray(random.integers(0, 256, (16, 16, 3), np.uint8))
            coarse.resize((side, side), Image.Resampling.BICUBIC).save(path)
        corners = random.uniform(0, side - 30, (objects, 2))
        boxes = np.concatenate([corners, corners + random.uniform(10, 30, (objects, 2))], axis=1).tolist()
        there = tuple(Object((x1, y1, x2, y2), "object") for x1, y1, x2, y2 in boxes)
        examples.append(Example(path, there, "train", (side, side)))
    return Annotations("coco", folder, ("object",), tuple(examples))


def train(data: Path | None, images: int, rounds: int, preset: str) -> dict[str, Any]:
    """Speed on `data` (if given) and on `images` generated images, with the peak memory; plain types for JSON."""
    keep_memory()
    result: dict[str, Any] = {"preset": preset, "rounds": rounds}
    if data:
        custom = open_custom_data(DataConfig(str(data.resolve()), "folder"))
        result["data"], _ = measured(custom.annotations, preset, rounds)
    with tempfile.TemporaryDirectory() as folder:
        result["drawn"], config = measured(drawn(Path(folder), images), preset, rounds, Path(folder) / "cache")
    return result | {"peak_memory_gb": peak_memory_gb()} | environment(config, torch.device("cpu"))


def measured(
    annotations: Annotations, preset: str, rounds: int, cache: Path | None = None
) -> tuple[dict[str, Any], Config]:
    """Median time of an iteration of `pocketrcnn train`, and its configuration; with `cache`, the time to fill it."""
    device = torch.device("cpu")
    planned = with_preset(plan_data(annotations), preset, learned_classes(annotations))
    precision = choose_precision("auto", device)
    config = replace(planned, train__iterations=10_000, train__precision=precision)  # long enough to be measured
    begun = time.perf_counter()
    opened = open_folder(annotations, "train", config.model.input_size, cache, config.data.tile_overlap)
    folder = Crops(opened) if opened.overlap else opened
    opening = {"first_opening_seconds": time.perf_counter() - begun} if cache else {}
    median, _ = alternate(Trainer(config, folder, opened, device).step, lambda: None, rounds)
    size = {"images": len(folder), "side": folder.size, "batch": config.train.batch}
    return size | {"milliseconds": median * 1e3, "images_per_second": config.train.batch / median} | opening, config
