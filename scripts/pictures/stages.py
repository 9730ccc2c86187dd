"""One test image on its way through a detector: stages.png."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from sheet import BLUE, GREEN, GREY, INK, ORANGE, PAPER, RULE, Sheet, Tile, letters
from shown import stages, verdict
from trained import Numbers, Scene, Trained, detections, rounded, scenes

from pocketrcnn.report.charts import heat

SIDE, HEADER = 288, 84  # pixels of a tile, and of the lines above it
CANDIDATES = 60  # proposals that are drawn before suppression
FEWEST = 3  # objects in the image that is shown
SHOWN_CLASSES = 5
TITLES = (
    ("1 Input", "a test image"),
    ("2 Anchors", "those that match"),
    ("3 Objectness", "bright: an object?"),
    ("4 Proposals", f"the best {CANDIDATES}"),
    ("5 After NMS", "what is left of them"),
    ("6 Crop", "of one proposal"),
    ("7 Classes", "scores of the crop"),
    ("8 Detections", "boxes and classes"),
)


def draw(trained: Trained) -> tuple[bytes, Numbers, Numbers]:
    """The picture, what it is given and what it shows."""
    chosen = choose(trained)
    prediction = trained.model(chosen.tensor)
    given = numbers(trained, chosen, prediction)
    shown = stages(given)
    sheet = Sheet(4, 2, SIDE, HEADER)
    for place, (title, note) in enumerate(TITLES):
        sheet.title(place, [(title, 34, True, INK), (note, 25, False, GREY)])
    for place, tile in enumerate(tiles(trained, chosen, prediction, given, shown)):
        sheet.put(place, tile)
    return sheet.png(), given, shown


def choose(trained: Trained) -> Scene:
    """The first test image of several classes in which all objects are detected, and nothing else."""
    for scene in scenes(trained):
        if len(set(scene.labels)) >= FEWEST:
            found = detections(trained.model, scene, trained.threshold)
            given = {"objects": scene.objects, "labels": scene.labels}
            right = verdict(given, found)
            if all(right["right"]) and not right["missed"]:
                return scene
    raise SystemExit(f"pictures: {trained.run.folder} gets no test image right: train for longer")


@torch.no_grad()
def numbers(trained: Trained, scene: Scene, prediction: Any) -> Numbers:
    """All numbers behind the picture that come from the network or its settings."""
    rpn, model = trained.model.rpn, trained.model
    assert rpn is not None, "a detector has proposals"
    settings = rpn.config
    candidates, *_ = rpn.candidates(prediction.objectness, prediction.deltas, CANDIDATES)
    scores = prediction.logits[0].softmax(-1) * prediction.scores[0][:, None]
    best = int(scores[:, : len(trained.classes)].max(-1).values.argmax())
    return {
        "image": scene.name,
        "objects": rounded(torch.tensor(scene.objects)),
        "labels": scene.labels,
        "side": trained.side,
        "cells": rpn.cells,
        "stride": model.backbone.stride,
        "shapes": [[*shape] for shape in settings.anchors],
        "positive_iou": settings.positive_iou,
        "negative_iou": settings.negative_iou,
        "nms_iou": settings.nms_iou,
        "candidates": rounded(candidates[0]),
        "region": rounded(prediction.regions[0, best : best + 1])[0],
        "size": model.config.roi.size if model.config.roi else 0,
        "probabilities": [round(p, 4) for p in prediction.logits[0, best].softmax(-1).tolist()],
        "after": detections(model, scene, trained.threshold),
    }


def tiles(trained: Trained, scene: Scene, prediction: Any, given: Numbers, shown: Numbers) -> list[Image.Image]:
    """The tiles in their order."""
    after = [box for box, kept in zip(given["candidates"], shown["boxes.nms"], strict=True) if kept]
    return [
        Tile(scene.pixels, SIDE).image,
        anchors(trained, scene, shown["boxes.match"]),
        objectness(prediction.objectness, given["cells"]),
        outlines(scene, given["candidates"], 1),
        outlines(scene, after, 3),
        crop(scene, given["region"], given["size"]),
        classes(given["probabilities"], [*trained.classes, "background"]),
        detected(scene, given["after"], trained.classes),
    ]


def anchors(trained: Trained, scene: Scene, labels: list[int]) -> Image.Image:
    """The centres of all anchors, and the boxes of those that match an object."""
    tile = Tile(scene.pixels // 2 + 64, SIDE)
    assert trained.model.rpn is not None
    grid = trained.model.rpn.anchors.tolist()
    matching = [box for box, label in zip(grid, labels, strict=True) if label == 1]
    for x1, y1, x2, y2 in grid:
        tile.dot((x1 + x2) / 2, (y1 + y2) / 2, (90, 90, 90), 1.5)
    for box in matching:
        tile.box(box, BLUE, 2)
    for x1, y1, x2, y2 in matching:
        tile.dot((x1 + x2) / 2, (y1 + y2) / 2, (0, 60, 120), 4)
    return tile.image


def objectness(logits: torch.Tensor, cells: int) -> Image.Image:
    """How much each cell looks like the centre of an object, 0..1."""
    best = logits[0].detach().sigmoid().view(cells, cells, -1).amax(-1).numpy()
    return Tile(heat(best), SIDE).image


def outlines(scene: Scene, boxes: list[list[float]], width: int) -> Image.Image:
    """Boxes on the image, the best one on top."""
    tile = Tile(scene.pixels, SIDE)
    for box in reversed(boxes):
        tile.box(box, ORANGE, width)
    return tile.image


def crop(scene: Scene, region: list[float], size: int) -> Image.Image:
    """The part of the image in a box, with the points at which the feature map is sampled."""
    ground = Image.new("RGB", (SIDE, SIDE), PAPER)
    x1, y1, x2, y2 = region
    part = Image.fromarray(scene.pixels).crop((round(x1), round(y1), round(x2), round(y2)))
    scale = (SIDE - 2) / max(part.size)
    whole = part.resize((round(part.width * scale), round(part.height * scale)), Image.Resampling.NEAREST)
    tile = Tile(np.asarray(ground), SIDE)
    tile.image.paste(whole, (0, 0))
    for row in range(size):
        for column in range(size):
            x, y = (whole.width * (column + 0.5) / size, whole.height * (row + 0.5) / size)
            tile.dot(x, y, (255, 255, 255), 6, (0, 0, 0))
    return tile.image


def classes(probabilities: list[float], names: list[str]) -> Image.Image:
    """The likeliest classes as bars."""
    image = Image.new("RGB", (SIDE, SIDE), (255, 255, 255))
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, SIDE - 1, SIDE - 1), outline=RULE, width=2)
    order: NDArray[np.int64] = np.argsort(probabilities)[::-1][:SHOWN_CLASSES]
    height = SIDE / SHOWN_CLASSES
    for row, place in enumerate(order):
        y = row * height
        pen.text((12, y + 4), names[place], fill=INK, font=letters(25))
        text = f"{probabilities[place]:.2f}"
        pen.text((SIDE - 12 - pen.textlength(text, letters(25)), y + 4), text, fill=INK, font=letters(25))
        width = (SIDE - 24) * probabilities[place]
        pen.rectangle((12, y + 38, 12 + max(width, 2), y + 50), fill=GREEN if row == 0 else GREY)
    return image


def detected(scene: Scene, found: Numbers, names: tuple[str, ...]) -> Image.Image:
    """The detections with their class."""
    tile = Tile(scene.pixels, SIDE)
    for box in found["boxes"]:
        tile.box(box, ORANGE, 4)
    for box, label in zip(found["boxes"], found["labels"], strict=True):
        tile.label(box, names[label], ORANGE, 25)
    return tile.image
