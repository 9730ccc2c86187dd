"""The smallest model of ultralytics, from scratch, with the defaults of `YOLO.train`.

ultralytics is AGPL-3.0. It runs here in an environment and a process of its own; no file of the package imports it.
Two things differ from its defaults, both in its favour: all cores compute (it leaves one idle, and of two that is
half), and no pictures are drawn. What it writes on the way (results.csv) is the curve, by its own metric on
validation images; the best weights by these images are the ones that detect.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import exchange

os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
os.environ["YOLO_OFFLINE"] = "true"  # nothing is sent, and nothing installed on the way
os.environ["YOLO_AUTOINSTALL"] = "false"

LOWEST = 0.001  # score of detections for average precision, as in its own validation


def train(model: Any, options: Any) -> dict[str, Any]:
    """Train for the minutes; returns seconds, iterations and the evaluations on the way."""
    iterations = 0

    def count(_: Any) -> None:
        nonlocal iterations
        iterations += 1

    model.add_callback("on_train_batch_end", count)
    watch = exchange.Stopwatch()
    model.train(
        data=str(options.data / "data.yaml"),
        imgsz=options.side,
        time=options.minutes / 60,
        pretrained=False,
        device="cpu",
        seed=options.seed,
        plots=False,
        project=str(options.out.resolve()),
        name="train",
    )
    return {"seconds": watch.seconds, "iterations": iterations, "points": points(options.out / "train" / "results.csv")}


def points(path: Path) -> list[dict[str, float]]:
    """Minutes and AP50 of validation images after each epoch."""
    with path.open(encoding="utf-8") as file:
        rows = [{name.strip(): value for name, value in row.items()} for row in csv.DictReader(file)]
    return [{"minutes": float(row["time"]) / 60, "AP50": float(row["metrics/mAP50(B)"])} for row in rows]


def detections(model: Any, images: list[Any], side: int, limit: int) -> list[Any]:
    """All detections in images, down to the lowest score, as COCO results."""
    found = []
    for one in images:
        settings = {"imgsz": side, "conf": LOWEST, "max_det": max(300, limit), "device": "cpu", "verbose": False}
        (result,) = model.predict(one["path"], **settings)
        boxes = result.boxes
        labels = boxes.cls.int().tolist()
        found += exchange.coco(one["id"], boxes.xyxy.tolist(), boxes.conf.tolist(), labels)
    return found


def speed(model: Any, images: list[Any], side: int) -> float:
    """Milliseconds an image, one at a time, from pixels to boxes, as `predict` is called by default."""
    import cv2

    pixels = [cv2.imread(one["path"]) for one in images]
    return exchange.milliseconds(
        lambda image: model.predict(image, imgsz=side, device="cpu", verbose=False, save=False), pixels
    )


def main() -> None:
    """Train, detect, time."""
    parser = exchange.detector_parser(__doc__)
    parser.add_argument("--model", required=True, help="name of a model without weights, as yolo26n.yaml")
    options = parser.parse_args()
    os.environ["YOLO_CONFIG_DIR"] = str(options.out.resolve())
    import torch
    from ultralytics import YOLO
    from ultralytics.utils import torch_utils

    torch_utils.NUM_THREADS = int(os.environ["OMP_NUM_THREADS"])  # for which it sets torch's whenever it takes a device
    listing = exchange.read(options.listing)
    test, limit = listing["images"]["test"], listing["limit"]["test"]
    result = train(YOLO(options.model), options)
    best = str(options.out / "train" / "weights" / "best.pt")
    model = YOLO(best)
    exchange.write(options.out / exchange.TEST, detections(model, test, options.side, limit))
    times = {"torch": speed(model, test, options.side)}
    exported = YOLO(best).export(format="onnx", imgsz=options.side, device="cpu")
    times["onnx"] = speed(YOLO(exported, task="detect"), test, options.side)
    result |= {
        "milliseconds": times,
        "threads": torch.get_num_threads(),
        "model": options.model.removesuffix(".yaml"),
        "versions": exchange.versions("torch", "torchvision", "ultralytics", "opencv-python", "onnxruntime"),
    }
    exchange.write(options.out / exchange.RESULT, result)


if __name__ == "__main__":
    main()
