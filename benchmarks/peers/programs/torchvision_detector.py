"""torchvision's smallest Faster R-CNN, from scratch: `fasterrcnn_mobilenet_v3_large_320_fpn`.

Trained as torchvision's reference script for detection does (references/detection/train.py): SGD with a rate of 0.02
for 16 images and in proportion for fewer, momentum 0.9, weight decay 1e-4, a linear warm-up over the first epoch, the
rate divided by 10 after 16/26 and 22/26 of the time, flips. Validation images are evaluated at five moments, which are
not counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import exchange
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.models.detection import FasterRCNN, fasterrcnn_mobilenet_v3_large_320_fpn
from torchvision.transforms.functional import hflip, to_tensor

BATCH = 4  # images: of the 16 that the reference spreads over eight cards, minutes on a processor see too few
RATE = 0.02 * BATCH / 16
DROPS = (16 / 26, 22 / 26)  # of the time, as of the epochs of the reference
POINTS = 5  # evaluations on the way, the last one at the end
LOWEST = 0.01  # score of detections for average precision, as ours; 0.05 by default, with which speed is measured
WORKERS = 2

Target = dict[str, Tensor]


class Listed(Dataset[tuple[Tensor, Target]]):
    """The images of a split of the listing."""

    def __init__(self, images: list[Any], flip: bool) -> None:
        self.images, self.flip = images, flip

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        one = self.images[index]
        image, width = to_tensor(Image.open(one["path"]).convert("RGB")), one["width"]
        boxes = torch.tensor(one["boxes"], dtype=torch.float32).reshape(-1, 4)
        if self.flip and torch.rand(()) < 0.5:
            image = hflip(image)
            boxes = torch.stack((width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]), 1)
        return image, {"boxes": boxes, "labels": torch.tensor(one["labels"], dtype=torch.int64) + 1}


def network(classes: int, side: int, limit: int) -> FasterRCNN:
    """The model with its defaults, and room for as many detections as the data need."""
    proposals = max(150, 2 * limit)
    return fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None,
        weights_backbone=None,
        num_classes=classes + 1,
        min_size=side,
        max_size=side,
        box_detections_per_img=max(100, limit),
        rpn_pre_nms_top_n_test=proposals,
        rpn_post_nms_top_n_test=proposals,
    )


def endless(loader: DataLoader[Any]) -> Iterator[Any]:
    """Epoch after epoch."""
    while True:
        yield from loader


def rate(iteration: int, epoch: int, fraction: float) -> float:
    """The learning rate: `epoch` iterations an epoch, `fraction` of the time has passed."""
    warm = min(1.0, (iteration + 1) / min(1000, max(1, epoch - 1)))
    return RATE * warm * 0.1 ** sum(fraction >= drop for drop in DROPS)


def train(model: FasterRCNN, listing: Any, minutes: float, out: Path) -> dict[str, Any]:
    """Train for the minutes; returns seconds, iterations and the evaluations on the way."""
    watch, end = exchange.Stopwatch(), minutes * 60
    data = Listed(listing["images"]["train"], flip=True)
    loader = DataLoader(data, BATCH, shuffle=True, drop_last=True, num_workers=WORKERS, collate_fn=list)
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.SGD(weights, RATE, momentum=0.9, weight_decay=1e-4)
    points: list[dict[str, Any]] = []
    model.train()
    for iteration, rows in enumerate(endless(loader)):
        for group in optimiser.param_groups:
            group["lr"] = rate(iteration, len(loader), watch.seconds / end)
        losses = model([image for image, _ in rows], [target for _, target in rows])
        total = sum(losses.values())
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        if watch.seconds >= end * (len(points) + 1) / POINTS:
            name, minutes_so_far = f"curve-{len(points) + 1}.json", watch.seconds / 60
            watch.pause(partial(detect, model, listing["images"]["curve"], out / name))
            points.append({"minutes": minutes_so_far, "detections": name, "loss": total.item()})
        if watch.seconds >= end:
            return {"seconds": watch.seconds, "iterations": iteration + 1, "points": points}
    raise AssertionError("endless")


def detect(model: FasterRCNN, images: list[Any], path: Path) -> None:
    """Write the detections in images."""
    exchange.write(path, detections(model, images))


@torch.inference_mode()
def detections(model: FasterRCNN, images: list[Any]) -> list[Any]:
    """All detections in images, down to the lowest score, as COCO results."""
    training, score = model.training, model.roi_heads.score_thresh
    model.eval()
    model.roi_heads.score_thresh = LOWEST
    found = []
    for one in images:
        (result,) = model([to_tensor(Image.open(one["path"]).convert("RGB"))])
        labels = (result["labels"] - 1).tolist()
        found += exchange.coco(one["id"], result["boxes"].tolist(), result["scores"].tolist(), labels)
    model.train(training)
    model.roi_heads.score_thresh = score
    return found


@torch.inference_mode()
def speed(model: FasterRCNN, images: list[Any]) -> dict[str, float]:
    """Milliseconds an image, one at a time, from pixels to boxes."""
    model.eval()
    pixels = [Image.open(one["path"]).convert("RGB") for one in images]
    return {"torch": exchange.milliseconds(lambda image: model([to_tensor(image)]), pixels)}


def main() -> None:
    """Train, detect, time."""
    options = exchange.detector_parser(__doc__).parse_args()
    torch.manual_seed(options.seed)
    listing = exchange.read(options.listing)
    model = network(len(listing["classes"]), options.side, listing["limit"]["test"])
    result = train(model, listing, options.minutes, options.out)
    detect(model, listing["images"]["test"], options.out / exchange.TEST)
    result |= {
        "milliseconds": speed(model, listing["images"]["test"]),
        "threads": torch.get_num_threads(),
        "model": "fasterrcnn_mobilenet_v3_large_320_fpn",
        "versions": exchange.versions("torch", "torchvision", "pillow"),
    }
    exchange.write(options.out / exchange.RESULT, result)


if __name__ == "__main__":
    main()
