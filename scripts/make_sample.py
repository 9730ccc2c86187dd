"""Make the sample inside the package from the real CIFAR-10: `python scripts/make_sample.py`.

Takes the first images of each class, in their order in training batch 1 and in the test batch, and writes two
mosaics with the classes one below the other, and the indices of the tiles in their record files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from pocketrcnn.course.data.cifar import CLASSES, SIDE, load_cifar10

FOLDER = Path(__file__).parents[1] / "src" / "pocketrcnn" / "course" / "data" / "sample"
COLUMNS = 50
PARTS = {"train": ("data_batch_1.bin", 100), "test": ("test_batch.bin", 50)}  # images of each class


def main() -> None:
    """Write `train.png`, `test.png` and `records.json`."""
    FOLDER.mkdir(exist_ok=True)
    index = {split: write_mosaic(split, source, count) for split, (source, count) in PARTS.items()}
    (FOLDER / "records.json").write_text(json.dumps(index) + "\n", encoding="ascii")


def write_mosaic(split: str, source: str, count: int) -> dict[str, Any]:
    """Write one mosaic; returns where its tiles come from."""
    images, labels = load_cifar10([source])
    indices = [(labels == label).nonzero()[:count, 0] for label in range(len(CLASSES))]
    mosaic = join_mosaic(images[torch.cat(indices)].numpy(), COLUMNS)
    Image.fromarray(mosaic).save(FOLDER / f"{split}.png", optimize=True)
    return {"source": source, "records": {name: rows.tolist() for name, rows in zip(CLASSES, indices, strict=True)}}


def join_mosaic(images: np.ndarray, columns: int) -> np.ndarray:
    """The inverse of `split_mosaic`: uint8 [N,3,32,32] to [N/columns*32,columns*32,3]."""
    tiles = images.reshape(-1, columns, 3, SIDE, SIDE)
    return np.ascontiguousarray(tiles.transpose(0, 3, 1, 4, 2)).reshape(-1, columns * SIDE, 3)


if __name__ == "__main__":
    main()
