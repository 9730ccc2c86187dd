"""Images with their ground truth and the detections in them, as plain data for the report; and the detector's speed."""

import base64
import io
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ...config import Pages
from ...data.boxes import Boxes
from ...data.folders import Folder
from ...data.images.pixels import Pixels, read_image
from ...evaluation.coco import matched
from ...evaluation.network import detect
from ...model.faster_rcnn import FasterRCNN
from ...report.marks import png_uri
from ...training.device import DELIVERED, autocast
from ...training.run import Run

Row = dict[str, Any]

SHOWN = 6  # images of a kind
LARGEST = 640  # pixels: the longer side of a picture; larger images are downscaled
LOSSLESS = 96  # pixels: pictures up to here are PNG, larger ones JPEG, which takes a fifth of the room
QUALITY = 88  # of a JPEG
WARM_UP, TIMED = 1, 8  # images


def pictures(run: Run, model: FasterRCNN, folder: Folder, evaluation: Row) -> Row:
    """Images spread evenly over a split, and its worst ones, with ground truth and the detections that the run shows.

    folder: the images of the split of `evaluation`. Boxes are in parts of the image, 0..1.
    """
    threshold = evaluation["confusion"]["threshold"]
    some = np.linspace(0, len(folder) - 1, min(SHOWN, len(folder))).round().astype(int).tolist()
    index_of = {str(path): index for index, path in enumerate(folder.paths)}
    wrong = [row["name"] for row in evaluation["images"] if row["fp"] + row["fn"]]
    worst = [index_of[name] for name in wrong if name in index_of][:SHOWN]
    chosen = sorted({*some, *worst})
    drawn = dict(zip(chosen, detected(run, model, folder.take(chosen), threshold), strict=True))
    return {
        "split": evaluation["split"],
        "threshold": threshold,
        "some": [drawn[index] for index in some],
        "worst": [drawn[index] for index in worst],
    }


def detected(run: Run, model: FasterRCNN, folder: Folder, threshold: float) -> list[Row]:
    """Every image of a data set with its objects and the detections from the threshold on, right or not."""
    with autocast(DELIVERED, run.device):
        ground_truth, detections = detect(model, folder.to(run.device))
    return [
        picture(path, folder.classes, objects, boxes[boxes.scores >= threshold], folder.pages)
        for path, objects, boxes in zip(folder.paths, ground_truth, detections, strict=True)
    ]


def errors(objects: Boxes, detections: Boxes, classes: int) -> tuple[set[int], set[int]]:
    """The indices of the false detections and of the missed objects of an image, at IoU 0.5.

    Matched as in `evaluation`: each detection, best first, with an object of its class. A detection or an object in a
    crowd is neither.
    """
    false, missed = set[int](), set[int]()
    for pair in filter(None, matched([objects], [detections], classes, len(detections) + 1, ious=[0.5]).eval_imgs):
        predicted = zip(pair["dtIds"], pair["dtMatched"][0], pair["dtIgnore"][0], strict=True)
        annotated = zip(pair["gtIds"], pair["gtMatched"][0], pair["gtIgnore"], strict=True)
        false |= {row - 1 for row, right, ignored in predicted if not right and not ignored}
        missed |= {row - 1 for row, right, ignored in annotated if not right and not ignored}
    return false, missed


def picture(path: Path, classes: Sequence[str], objects: Boxes, detections: Boxes, pages: Pages = "first") -> Row:
    """An image as a data URI, with its objects (some missed) and its detections (some false). pages: see `Folder`."""
    image, (false, missed) = read_image(path, pages), errors(objects, detections, len(classes))
    height, width = image.shape[:2]
    crowds, scores = objects.crowd.tolist(), detections.scores.tolist()
    return {
        "name": path.name,
        "size": [width, height],
        "image": picture_uri(image),
        "objects": [
            {**mark, "crowd": crowds[i], "missed": i in missed}
            for i, mark in enumerate(marks(objects, classes, width, height))
        ],
        "detections": [
            {**mark, "score": round(scores[i], 3), "false": i in false}
            for i, mark in enumerate(marks(detections, classes, width, height))
        ],
    }


def marks(boxes: Boxes, classes: Sequence[str], width: int, height: int) -> list[Row]:
    """Boxes as parts of the image's sides, and the names of their classes."""
    sides = (width, height, width, height)
    corners = [[round(value / side, 5) for value, side in zip(box, sides, strict=True)] for box in boxes.boxes.tolist()]
    return [{"box": box, "label": classes[label]} for box, label in zip(corners, boxes.labels.tolist(), strict=True)]


def picture_uri(image: Pixels) -> str:
    """An image [H,W,3], downscaled where it is large, as a data URI: PNG where it is tiny, else JPEG."""
    shown = Image.fromarray(image)
    shown.thumbnail((LARGEST, LARGEST))
    if max(shown.size) <= LOSSLESS:
        return png_uri(np.asarray(shown))
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


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
