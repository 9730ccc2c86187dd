"""The evaluated images with their objects and detections, as plain data for the report; and the detector's speed."""

import base64
import io
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from ...config import Pages
from ...data.boxes import Boxes
from ...data.folders import Folder
from ...data.images.pixels import Pixels, read_image
from ...evaluation.network import Compared, detect
from ...evaluation.outcomes import Outcomes, outcomes
from ...model.faster_rcnn import FasterRCNN
from ...report.marks import png_uri
from ...training.device import DELIVERED, autocast
from ...training.run import Run

Row = dict[str, Any]

MOST = 1000  # images of a page
PAGE = 11_000_000  # characters of a page for pictures and boxes; the rest of a page takes less than a million
BOXES = 4_000_000  # characters for the boxes that are shown at first, and for those of lower scores
OUTLINE = 80  # characters of a box that is shown at first: in the data, and drawn
LISTED = 50  # characters of a detection in the data alone
LARGEST, SMALLEST = 1024, 64  # pixels: the longer side of a picture, and what no picture is made smaller than
LOSSLESS = 96  # pixels: pictures up to here are PNG, larger ones WebP
QUALITIES = 90, 75  # of a WebP, and of one that has to become smaller
EFFORT = 2  # of the encoder: half the time of the default, for files that are a fiftieth larger
DIGITS = 9  # of a score: all float32 numbers are still told apart
WARM_UP, TIMED = 1, 8  # images


def pictures(run: Run, model: FasterRCNN, folder: Folder, evaluation: Row) -> Row:
    """The images of a split with ground truth and all detections, and what the evaluation makes of each of them.

    folder: the images of the split of `evaluation`. Those with most errors come first in it, and where there are more
    than MOST, or more boxes than fit, these stay. Boxes are in pixels of the image.
    """
    chosen = most_errors(folder, evaluation)[:MOST]
    ground_truth, detections = compared(run, model, folder, evaluation["split"], chosen)
    threshold = evaluation["confusion"]["threshold"]
    known = outcomes(ground_truth, detections, len(folder.classes), evaluation["max_detections"])
    paths = [folder.paths[index] for index in chosen]
    made = album(paths, known, list(folder.classes), threshold, folder.pages)
    return made | {"split": evaluation["split"], "of": len(folder)}


def compared(run: Run, model: FasterRCNN, folder: Folder, split: str, chosen: list[int]) -> Compared:
    """Ground truth and detections of some images: those of the evaluation, where this process made it."""
    if split in run.compared:
        ground_truth, detections = run.compared[split]
        return [ground_truth[index] for index in chosen], [detections[index] for index in chosen]
    with autocast(DELIVERED, run.device):
        return detect(model, folder.take(chosen).to(run.device))


def most_errors(folder: Folder, evaluation: Row) -> list[int]:
    """The images of a data set as its evaluation sorts them, the worst first; those that it does not name are last."""
    rank = {row["name"]: place for place, row in enumerate(evaluation["images"])}
    return sorted(range(len(folder)), key=lambda index: (rank.get(str(folder.paths[index]), len(rank)), index))


def fitting(known: Sequence[Outcomes], threshold: float) -> int:
    """How many images, at least one, have no more boxes from the threshold on than the page has room for."""
    boxes = [len(one.objects) + int((one.detections.scores >= threshold).sum()) for one in known]
    return max(1, int((np.cumsum(boxes) * OUTLINE <= BOXES).sum()))


def album(
    paths: Sequence[Path], known: Sequence[Outcomes], classes: list[str], threshold: float, pages: Pages = "first"
) -> Row:
    """The first images with their boxes, as many as fit; where there are more detections than that, none below
    `lowest`. pages: what is read of files of several.
    """
    known = known[: fitting(known, threshold)]
    lowest = lowest_score(known, threshold)
    rows = [marks(one, lowest) for one in known]
    room = PAGE - len(json.dumps(rows)) - OUTLINE * sum(len(row["objects"]["boxes"]) for row in rows)
    paths = paths[: len(rows)]
    images = [
        {"name": str(path), **picture, **row}
        for path, picture, row in zip(paths, shown(paths, max(room, 0), pages), rows, strict=True)
    ]
    return {"threshold": threshold, "lowest": lowest, "classes": classes, "images": images}


def lowest_score(known: Sequence[Outcomes], threshold: float) -> float:
    """The score from which on detections are in the page: 0 where all fit, and never above the threshold."""
    scores = np.sort(np.concatenate([np.zeros(0), *(one.detections.scores for one in known)]))[::-1]
    room = BOXES // 2 // LISTED
    return 0.0 if len(scores) <= room else min(threshold, float(scores[room - 1]))


def marks(one: Outcomes, lowest: float) -> Row:
    """The boxes of an image and what became of them, as `Outcomes` has it, in columns."""
    objects, detections = one.objects, one.detections
    count = int((detections.scores >= lowest).sum())
    pointers = {
        name: np.where(rows < count, rows, -1).tolist()
        for name, rows in (("found", one.found), ("met", one.met), ("blamed", one.blamed))
    }
    return {
        "objects": {**corners(objects), "crowd": objects.crowd.astype(int).tolist(), **pointers},
        "detections": {
            **corners(detections[np.arange(count)]),
            "scores": [float(f"{score:.{DIGITS}g}") for score in detections.scores[:count].tolist()],
            "kinds": one.kinds[:count].tolist(),
            "truths": one.truths[:count].tolist(),
        },
    }


def corners(boxes: Boxes) -> Row:
    """Boxes in pixels of the image, to a hundredth, and their classes."""
    return {"boxes": boxes.boxes.round(2).tolist(), "labels": boxes.labels.tolist()}


def shown(paths: Sequence[Path], room: int, pages: Pages = "first") -> Iterator[Row]:
    """Width and height of each image in pixels, and its picture; all pictures together have so many characters.

    Each may take an equal part of what those before it have left.
    """
    for index, path in enumerate(paths):
        pixels = read_image(path, pages)
        uri = picture_uri(pixels, room // (len(paths) - index))
        room = max(0, room - len(uri))
        yield {"size": [pixels.shape[1], pixels.shape[0]], "image": uri}


def picture_uri(pixels: Pixels, room: int = PAGE) -> str:
    """An image [H,W,3] as a data URI, as large as `room` characters allow, and at most LARGEST pixels."""
    if max(pixels.shape) <= LOSSLESS and len(uri := png_uri(pixels)) <= room:
        return uri
    image = Image.fromarray(pixels)
    image.thumbnail((LARGEST, LARGEST))
    if len(uri := webp_uri(image, QUALITIES[0])) <= room:
        return uri
    side = max(image.size)
    while len(uri := webp_uri(ImageOps.contain(image, (side, side)), QUALITIES[1])) > room and side > SMALLEST:
        side = max(SMALLEST, int(side * min(0.9, (room / len(uri)) ** 0.5)))
    return uri


def webp_uri(image: Image.Image, quality: int) -> str:
    """An image as a WebP in a data URI."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=EFFORT)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


@torch.no_grad()
def detection_time(run: Run, model: FasterRCNN, folder: Folder) -> Row:
    """Median milliseconds from the pixels of one image to its detections, images one by one, without reading files."""
    times = []
    for index in range(WARM_UP + TIMED):
        image = folder.to(run.device).batch(torch.tensor([index % len(folder)])).images
        begun = time.perf_counter()
        with autocast(DELIVERED, run.device):
            model.detect(image).scores.cpu()
        times.append(1000 * (time.perf_counter() - begun))
    return {"milliseconds": statistics.median(times[WARM_UP:]), "images": TIMED, "threads": torch.get_num_threads()}
