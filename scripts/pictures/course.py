"""Test scenes of the course report with the detection of F2: course.png."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from sheet import GREEN, RED, Sheet, Tile
from shown import scenes_right
from trained import Numbers, Scene, Trained, detections, rounded

from pocketrcnn.course.data.datasets import open_dataset

SIDE, COLUMNS, ROWS = 192, 6, 2


def draw(trained: Trained) -> tuple[bytes, Numbers, Numbers]:
    """The picture, what it is given and what it shows: the first test scenes, right or wrong."""
    batch = open_dataset(trained.run.config.data, "test").batch(torch.arange(COLUMNS * ROWS))
    rows = [one(trained, batch, index) for index in range(len(batch))]
    given = {"scenes": [numbers for _, numbers in rows]}
    shown = scenes_right(given)
    sheet = Sheet(COLUMNS, ROWS, SIDE, 0, 14)
    for place, ((scene, numbers), right) in enumerate(zip(rows, shown["boxes.iou"], strict=True)):
        tile = Tile(scene.pixels, SIDE)
        found, colour = numbers["after"], GREEN if right else RED
        tile.box(found["boxes"][0], colour, 5)
        tile.label(found["boxes"][0], trained.classes[found["labels"][0]], colour, 27)
        sheet.put(place, tile.image)
    return sheet.png(), given, shown


def one(trained: Trained, batch: Any, index: int) -> tuple[Scene, Numbers]:
    """A scene of a batch, and its object and detection in numbers."""
    pixels = np.ascontiguousarray(batch.images[index].permute(1, 2, 0).numpy())
    scene = Scene(str(index), pixels, rounded(batch.boxes[index]), batch.labels[index].tolist())
    found = detections(trained.model, scene, 0.0, 1)
    return scene, {"objects": scene.objects, "labels": scene.labels, "after": found}
