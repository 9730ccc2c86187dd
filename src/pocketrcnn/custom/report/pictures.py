"""Images with what is in them and what a trained detector finds, as plain data for the report; and its speed."""

from __future__ import annotations

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

from ...data.folders import Folder
from ...data.images.pixels import Pixels, read_image
from ...evaluation.coco import Found, Truth, matched
from ...evaluation.network import judged
from ...model.faster_rcnn import FasterRCNN
from ...report.marks import png_uri
from ...training.device import DELIVERED, autocast
from ...training.run import Run

Facts = dict[str, Any]

SHOWN = 6  # images of a kind
LARGEST = 640  # pixels: the longer side of a picture; larger images are made smaller
LOSSLESS = 96  # pixels: pictures up to here are PNG, larger ones JPEG, which takes a fifth of the room
QUALITY = 88  # of a JPEG
WARM_UP, TIMED = 1, 8  # images


def pictures(run: Run, model: FasterRCNN, folder: Folder, evaluation: Facts) -> Facts:
    """Images spread evenly over a split, and its worst ones, with truth and detections above the run's threshold.

    folder: the split that `evaluation` judged. Boxes are in parts of the image, 0..1.
    """
    threshold = evaluation["confusion"]["threshold"]
    some = np.linspace(0, len(folder) - 1, min(SHOWN, len(folder))).round().astype(int).tolist()
    places = {str(path): place for place, path in enumerate(folder.paths)}
    wrong = [row["name"] for row in evaluation["images"] if row["fp"] + row["fn"]]
    worst = [places[name] for name in wrong if name in places][:SHOWN]
    chosen = sorted({*some, *worst})
    drawn = dict(zip(chosen, looked_at(run, model, folder.take(chosen), threshold), strict=True))
    return {
        "split": evaluation["split"],
        "threshold": threshold,
        "some": [drawn[place] for place in some],
        "worst": [drawn[place] for place in worst],
    }


def looked_at(run: Run, model: FasterRCNN, folder: Folder, threshold: float) -> list[Facts]:
    """Every image of a data set with its objects and the detections from the threshold on, right or not."""
    with autocast(DELIVERED, run.device):
        truth, found = judged(model, folder.to(run.device))
    shown = [above(one, threshold) for one in found]
    false, missed = verdicts(truth, shown, len(folder.classes))
    return [
        picture(folder.paths[i], folder.classes, (truth[i], missed[i]), (shown[i], false[i]))
        for i in range(len(folder))
    ]


def above(found: Found, threshold: float) -> Found:
    """The detections whose score is not below the threshold."""
    keep = found.scores >= threshold
    return Found(found.boxes[keep], found.scores[keep], found.labels[keep])


def verdicts(truth: Sequence[Truth], found: Sequence[Found], classes: int) -> tuple[list[set[int]], list[set[int]]]:
    """In each image, the places of the detections that are false and of the objects that are missed, at IoU 0.5.

    Matched as in `evaluation`: each detection, best first, with an object of its class. What lies in a crowd is
    neither.
    """
    run = matched(truth, found, classes, max([1, *(len(one.labels) for one in found)]), ious=[0.5])
    false, missed = set[int](), set[int]()
    for pair in filter(None, run.eval_imgs):
        detections = zip(pair["dtIds"], pair["dtMatched"][0], pair["dtIgnore"][0], strict=True)
        objects = zip(pair["gtIds"], pair["gtMatched"][0], pair["gtIgnore"], strict=True)
        false |= {row - 1 for row, right, ignored in detections if not right and not ignored}
        missed |= {row - 1 for row, right, ignored in objects if not right and not ignored}
    return by_image(false, found), by_image(missed, truth)


def by_image(rows: set[int], parts: Sequence[Truth] | Sequence[Found]) -> list[set[int]]:
    """Rows of all images below each other, as places in each."""
    first = np.cumsum([0, *(len(one.labels) for one in parts)]).tolist()
    return [{row - first[i] for row in rows if first[i] <= row < first[i + 1]} for i in range(len(parts))]


def picture(path: Path, classes: Sequence[str], truth: tuple[Truth, set[int]], found: tuple[Found, set[int]]) -> Facts:
    """An image as a data URI, with its objects (some missed) and its detections (some false)."""
    image = read_image(path)
    height, width = image.shape[:2]
    (objects, missed), (detections, false) = truth, found
    sides = (width, height, width, height)
    rows = [
        {"box": parts(box, sides), "label": classes[label], "crowd": bool(crowd), "missed": place in missed}
        for place, (box, label, crowd) in enumerate(zip(objects.boxes, objects.labels, objects.crowd, strict=True))
    ]
    those = zip(detections.boxes, detections.labels, detections.scores, strict=True)
    marks = [
        {"box": parts(box, sides), "label": classes[label], "score": round(float(score), 3), "false": place in false}
        for place, (box, label, score) in enumerate(those)
    ]
    return {
        "name": path.name,
        "size": [width, height],
        "image": picture_uri(image),
        "objects": rows,
        "detections": marks,
    }


def parts(box: Sequence[float], sides: Sequence[int]) -> list[float]:
    """A box as parts of the image's sides."""
    return [round(float(value) / side, 5) for value, side in zip(box, sides, strict=True)]


def picture_uri(image: Pixels) -> str:
    """An image [H,W,3], made smaller where it is large, as a data URI: PNG where it is tiny, else JPEG."""
    shown = Image.fromarray(image)
    shown.thumbnail((LARGEST, LARGEST))
    if max(shown.size) <= LOSSLESS:
        return png_uri(np.asarray(shown))
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


@torch.no_grad()
def detection_time(run: Run, model: FasterRCNN, folder: Folder) -> Facts:
    """Median milliseconds from the pixels of one image to its detections, images one by one, without reading files."""
    times = []
    for place in range(WARM_UP + TIMED):
        image = folder.to(run.device).batch(torch.tensor([place % len(folder)])).images
        begun = time.perf_counter()
        with autocast(DELIVERED, run.device):
            model.detect(image).scores.cpu()
        times.append(1000 * (time.perf_counter() - begun))
    return {"milliseconds": statistics.median(times[WARM_UP:]), "images": TIMED, "threads": torch.get_num_threads()}
